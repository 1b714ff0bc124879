"""The lab: Culvert between real Linux peers, in network namespaces of its own."""
