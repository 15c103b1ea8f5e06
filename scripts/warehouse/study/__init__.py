"""How much nearer to a known truth the warehouse's estimates come than plain ones.

Worlds are drawn from declared ranges (`ranges`, `returns_world`, `budget_world`), the project's own
compiled SQL runs on what an observer of a world would see (`return_estimates`, `outlook_estimates`), and both its estimates and
the frozen `baseline` are scored against the truth, which never enters a database.
"""
