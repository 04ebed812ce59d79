"""Hooks of Schemathesis."""

import schemathesis

# A component is sent as it is.
schemathesis.serializer.alias("application/wasm", "application/octet-stream")
