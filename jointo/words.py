"""Words that two packages say in the admin, and whose Chinese they lack or do not bring compiled.

They are marked here so that locale/zh_Hans has them; the catalog of the site is asked before those of the packages.
A test compares them with what the packages mark: what they bring themselves one day can go here.
"""

from __future__ import annotations

from django.utils.translation import gettext_noop as N_

CELERY_BEAT = (
    N_("Arguments"),
    N_("Schedule"),
    N_("Execution Options"),
    N_("Periodic Tasks Using This Schedule"),
    N_('Cron Months (1-12) Of The Year to Run. Use "*" for "all". (Example: "1,12")'),
    N_('Cron Days Of The Week to Run. Use "*" for "all", Sunday is 0 or 7, Monday is 1. (Example: "0,5")'),
)
CELERY_RESULTS = (
    N_("Celery Results"),
    N_("task result"),
    N_("task results"),
    N_("group result"),
    N_("group results"),
    N_("Parameters"),
    N_("Result"),
    N_("Task ID"),
    N_("Celery ID for the Task that was run"),
    N_("Periodic Task Name"),
    N_("Name of the Periodic Task which was run"),
    N_("Task Name"),
    N_("Name of the Task which was run"),
    N_("Task Positional Arguments"),
    N_("JSON representation of the positional arguments used with the task"),
    N_("Task Named Arguments"),
    N_("JSON representation of the named arguments used with the task"),
    N_("Task State"),
    N_("Current state of the task being run"),
    N_("Worker"),
    N_("Worker that executes the task"),
    N_("Result Content Type"),
    N_("Content type of the result data"),
    N_("Result Encoding"),
    N_("The encoding used to save the task result data"),
    N_("Result Data"),
    N_("The data returned by the task.  Use content_encoding and content_type fields to read."),
    N_("Created DateTime"),
    N_("Datetime field when the task result was created in UTC"),
    N_("Started DateTime"),
    N_("Datetime field when the task was started in UTC"),
    N_("Completed DateTime"),
    N_("Datetime field when the task was completed in UTC"),
    N_("Traceback"),
    N_("Text of the traceback if the task generated one"),
    N_("Task Meta Information"),
    N_("JSON meta information about the task, such as information on child tasks"),
    N_("Group ID"),
    N_("Celery ID for the Chord header group"),
    N_("JSON serialized list of task result tuples. use .group_result() to decode"),
    N_("Starts at len(chord header) and decrements after each task is finished"),
    N_("Celery ID for the Group that was run"),
    N_("Datetime field when the group result was created in UTC"),
    N_("Datetime field when the group was completed in UTC"),
)
