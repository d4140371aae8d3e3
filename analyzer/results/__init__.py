"""Result documents: what comes of one pitch of many, and every reader and writer of files of results."""
