"""Does a reading agree with people who score by hand, where does it differ, and is it the reading or the rule?"""
