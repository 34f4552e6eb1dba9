"""What can go wrong when a URL is fetched. No message says more than the user who gave the URL may know."""

from __future__ import annotations

from jobs.errors import BadInput, JointoError, Remedy


class UrlRefused(BadInput):
    """The URL is one that Jointo does not fetch; `details["reason"]` says why in a word."""

    code = "url_refused"
    message = "This URL can't be used: give a public http or https address."


class HostUnknown(JointoError):
    """The name has no address; worth another try, because names are mended too."""

    code = "host_unknown"
    status = 422
    message = "The URL's host has no address in the DNS: check its spelling."


class OutboundUnreachable(JointoError):
    code = "outbound_unreachable"
    status = 502
    message = "The URL's server could not be reached, or broke off: check that it runs, and try again."


class OutboundTimeout(JointoError):
    code = "outbound_timeout"
    status = 504
    message = "The URL's server did not answer in full within the time allowed: try again later."


class OutboundUntrusted(JointoError):
    code = "outbound_untrusted"
    status = 502
    message = "The certificate of the URL's server is not valid for its name: renew or mend it."


class OutboundRedirected(JointoError):
    code = "outbound_redirected"
    status = 422
    remedy = Remedy.NONE
    message = "The URL redirects further than is allowed: give the address that it leads to."


class OutboundTooLarge(BadInput):
    code = "outbound_too_large"
    message = "What the URL gives is larger than is allowed: give a smaller file."


class OutboundRejected(BadInput):
    """The server said no, in `details["status"]`, and would again."""

    code = "outbound_rejected"
    message = "The URL's server does not give the file: check the address, and that no sign-in is needed."


class OutboundFailed(JointoError):
    """The server failed or is busy, `details["status"]`; `retry_after` where it told."""

    code = "outbound_failed"
    status = 502
    message = "The URL's server failed, or asks to come back later: try again."


class OutboundUnreadable(BadInput):
    code = "outbound_unreadable"
    message = "The URL's server packed its answer in a way that can't be read: serve the file as it is."


def refused(reason: str, message: str) -> UrlRefused:
    """A refusal with its reason in a word, for programs, and in a sentence."""
    return UrlRefused(message, details={"reason": reason})
