"""`make bench`: the CPU of a request, as a multiple of what a bare process needs for it."""
