"""Proxy mode: the gateway forwards requests to the services, as an edge would."""
