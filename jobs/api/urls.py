"""The addresses of jobs."""

from __future__ import annotations

from django.urls import path

from jobs.api import views

urlpatterns = [
    path("jobs/", views.JobList.as_view(), name="jobs"),
    path("jobs/events/", views.AllEvents.as_view(), name="jobs-events"),
    path("jobs/<uuid:job_id>/", views.JobView.as_view(), name="job"),
    path("jobs/<uuid:job_id>/cancel/", views.CancelJob.as_view(), name="job-cancel"),
    path("jobs/<uuid:job_id>/retry/", views.RetryJob.as_view(), name="job-retry"),
    path("jobs/<uuid:job_id>/events/", views.JobEvents.as_view(), name="job-events"),
    # The same two views, under their older names.
    path("tasks/<uuid:job_id>/status/", views.TaskStatus.as_view(), name="task-status"),
    path("tasks/<uuid:job_id>/cancel/", views.CancelTask.as_view(), name="task-cancel"),
]
