"""Does a reader agree with the raters, where does it differ, and is the reading or the rule the reason?"""
