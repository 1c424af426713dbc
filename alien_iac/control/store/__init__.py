"""The control plane's database: one file a noun, SQLAlchemy Core, and one module (`engine`) that knows SQLite."""
