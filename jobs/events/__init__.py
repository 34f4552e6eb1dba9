"""Live events of jobs and batches, for any number of watchers at the cost of one poll a process.

- `transition`: a job went from one status to another. Its id is the transition's; a client that comes back with it
  (Last-Event-ID) is told every later one.
- `job`: the job as it is now, whenever anything about it has changed, progress too. It is the whole truth each
  time, so an old one is never missed; only the first one to a watcher of one job carries an id.
- `batch`: a batch as it is now, to those who watch it.

Transactions may commit in another order than that of their rows' numbers. One job's moves can't: its row is locked
meanwhile. So a watcher of one job is told at once; a watcher of all jobs is told a move once it is `SETTLE` old, by
when those with smaller numbers are there. A transaction of somebody else's that records a job and stays open for
longer may be missed by who comes back; the `job` event tells of it all the same.
"""

from jobs.events.hub import Hub
from jobs.events.scopes import Event, Scope
from jobs.events.states import Renderers, batch_is_over, is_over

__all__ = ["Event", "Hub", "Renderers", "Scope", "batch_is_over", "is_over"]
