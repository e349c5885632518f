"""What the OpenAPI document says beyond what the framework finds by itself."""
