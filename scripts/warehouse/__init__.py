"""The product-finance warehouse: ingest, build, audit and publish."""
