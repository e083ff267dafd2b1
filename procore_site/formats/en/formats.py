"""Days and times where Django writes them, such as in the lists of the admin.

The day comes before the month everywhere on the site, and the month has its name: it is
read in the same way on both sides of the Atlantic.
"""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i"
TIME_FORMAT = "H:i"
