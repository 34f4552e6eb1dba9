"""AI services as plug-ins: one Protocol for text, one for pictures and clips. Plain Python: no Django, no Celery."""
