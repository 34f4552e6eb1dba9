"""The addresses of jobs."""

from __future__ import annotations

from django.urls import path

from jobs.api import accounts, batches, letters, statistics, views

urlpatterns = [
    path("jobs/", views.JobList.as_view(), name="jobs"),
    path("jobs/statistics/", statistics.Statistics.as_view(), name="jobs-statistics"),
    path("jobs/events/", views.AllEvents.as_view(), name="jobs-events"),
    path("jobs/<uuid:job_id>/", views.JobView.as_view(), name="job"),
    path("jobs/<uuid:job_id>/cancel/", views.CancelJob.as_view(), name="job-cancel"),
    path("jobs/<uuid:job_id>/retry/", views.RetryJob.as_view(), name="job-retry"),
    path("jobs/<uuid:job_id>/events/", views.JobEvents.as_view(), name="job-events"),
    path("batches/", batches.BatchList.as_view(), name="batches"),
    path("batches/<uuid:batch_id>/", batches.BatchView.as_view(), name="batch"),
    path("batches/<uuid:batch_id>/jobs/", batches.BatchJobs.as_view(), name="batch-jobs"),
    path("batches/<uuid:batch_id>/cancel/", batches.CancelBatch.as_view(), name="batch-cancel"),
    path("batches/<uuid:batch_id>/retry-failed/", batches.RetryFailed.as_view(), name="batch-retry-failed"),
    path("batches/<uuid:batch_id>/events/", views.BatchEvents.as_view(), name="batch-events"),
    path("account/", accounts.AccountView.as_view(), name="account"),
    path("account/webhook-secret/", accounts.WebhookSecret.as_view(), name="account-webhook-secret"),
    path("account/deliveries/", letters.Deliveries.as_view(), name="deliveries"),
    path("account/deliveries/<uuid:delivery_id>/redeliver/", letters.Redeliver.as_view(), name="delivery-redeliver"),
    # The same two views, under their older names.
    path("tasks/<uuid:job_id>/status/", views.TaskStatus.as_view(), name="task-status"),
    path("tasks/<uuid:job_id>/cancel/", views.CancelTask.as_view(), name="task-cancel"),
]
