"""The soak test: bulk runs that are killed, refused, cut off and filled up, judged by the server's own count.

`make soak` runs it for about half an hour and writes the table of docs/reliability.md; pytest does not collect it.
"""
