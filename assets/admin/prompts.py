"""The operator's view of prompts: a new version is written over the current one, and made active or not."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from assets import prompts
from assets.models import Prompt


class PromptForm(forms.ModelForm[Prompt]):
    """A new version: of a prompt that there is.

    `use` is no field of the model, as that would refuse a second active version before saving can end the first.
    """

    name = forms.ChoiceField(label=_("name"))
    use = forms.BooleanField(label=_("use it"), required=False, help_text=_("in the place of what is used now"))

    class Meta:
        model = Prompt
        fields = ("name", "text")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "name" in self.fields:
            field = self.fields["name"]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [(name, name) for name in prompts.names()]
        self.fields["use"].initial = self.instance.active if self.instance.pk else True


@admin.register(Prompt)
class PromptAdmin(admin.ModelAdmin[Prompt]):
    """Prompts: versions are never changed, as extractions name them; at most one of each prompt is active.

    Where none is, the file that came with the program is used.
    """

    list_display = ("name", "version", "active", "author", "created_at", "beginning")
    list_filter = ("name", "active")
    list_select_related = ("author",)
    ordering = ("name", "-version")
    search_fields = ("text",)
    form = PromptForm
    actions = ("make_active", "make_inactive")

    def get_fields(self, request: HttpRequest, obj: Prompt | None = None) -> Any:
        if obj is None:
            return ("name", "text", "use", "now")
        return ("name", "version", "use", "author", "created_at", "text")

    def get_readonly_fields(self, request: HttpRequest, obj: Prompt | None = None) -> Any:
        return ("now",) if obj is None else ("name", "version", "author", "created_at", "text")

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        """The text that is used now, to be changed."""
        asked = request.GET.get("name", "")
        name = asked if asked in prompts.names() else prompts.EXTRACT
        return {"name": name, "text": prompts.current(name).text}

    def has_delete_permission(self, request: HttpRequest, obj: Prompt | None = None) -> bool:
        return False  # extractions name them

    def save_model(self, request: HttpRequest, obj: Prompt, form: Any, change: bool) -> None:
        with transaction.atomic():
            if not change:
                assert isinstance(request.user, User)
                obj.author = request.user
                last = Prompt.objects.filter(name=obj.name).aggregate(last=Max("version"))["last"] or 0
                obj.version = last + 1
            obj.active = form.cleaned_data["use"]
            if obj.active:
                Prompt.objects.filter(name=obj.name, active=True).exclude(pk=obj.pk).update(active=False)
            if change:
                obj.save(update_fields=["active", "updated_at"])
            else:
                obj.save(force_insert=True)

    @admin.display(description=_("text"))
    def beginning(self, prompt: Prompt) -> str:
        return f"{prompt.text[:80]}…"

    @admin.display(description=_("in use"))
    def now(self, prompt: Prompt) -> SafeString:
        """What is used of each prompt."""
        used = [prompts.current(name) for name in prompts.names()]
        shown = format_html_join(
            "",
            '<details><summary>{}</summary><pre style="white-space: pre-wrap">{}</pre></details>',
            ((text.version, text.text) for text in used),
        )
        return format_html("{}", shown)

    @admin.action(description=_("Use this version"), permissions=["change"])
    def make_active(self, request: HttpRequest, chosen: Any) -> None:
        with transaction.atomic():
            for prompt in chosen.order_by("version"):  # of several versions of one prompt, the last
                Prompt.objects.filter(name=prompt.name, active=True).update(active=False)
                Prompt.objects.filter(pk=prompt.pk).update(active=True)

    @admin.action(description=_("Use what came with the program"), permissions=["change"])
    def make_inactive(self, request: HttpRequest, chosen: Any) -> None:
        chosen.update(active=False)
