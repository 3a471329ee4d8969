"""The nouns: frozen values that travel between stages, into checkpoints and out to MLflow.

Everything here is data (JSON both ways); collaborators live in `ports`. Sequences are tuples, so a value never
changes under a reader; a changed value is a `model_copy(update=…)`. Others import from here, whatever the module.
"""

from technoshare.models.comment import (
    EXTRACTIVE,
    NO_LINK,
    USAGE_METRICS,
    Comment,
    Cost,
    Fact,
    FactKind,
    Facts,
    Project,
    ProjectNote,
    PromptRef,
    ReadPriority,
    ReadWhen,
    Sentence,
    ToolCall,
    Usage,
)
from technoshare.models.evidence import (
    FULL_LENGTH_WORDS,
    LONGEST_METADATA,
    Address,
    Count,
    Coverage,
    Day,
    Document,
    Evidence,
    Kind,
    Metadata,
    Page,
    Section,
    Snippet,
    summary_bounds,
)
from technoshare.models.job import FORGOTTEN, Job, JobState, Submitted
from technoshare.models.ledger import Alert, Click, Complaint, Share, Vote
from technoshare.models.record import (
    Assessment,
    Checkpoint,
    ContentMode,
    ContentPolicy,
    JobId,
    Outcome,
    Record,
    Result,
    Span,
    SpanKind,
    Trail,
    Value,
)
from technoshare.models.reply import (
    AlreadyShared,
    Apology,
    Message,
    Receipt,
    Reply,
    Reviewed,
    Round,
    SectionName,
    Severity,
    Source,
    Verdict,
)

__all__ = [
    "EXTRACTIVE", "FORGOTTEN", "FULL_LENGTH_WORDS", "LONGEST_METADATA", "NO_LINK", "USAGE_METRICS", "Address",
    "Alert", "AlreadyShared", "Apology", "Assessment", "Checkpoint", "Click", "Comment", "Complaint", "ContentMode",
    "ContentPolicy", "Cost", "Count", "Coverage", "Day", "Document", "Evidence", "Fact", "FactKind", "Facts", "Job",
    "JobId", "JobState", "Kind", "Message", "Metadata", "Outcome", "Page", "Project", "ProjectNote", "PromptRef",
    "ReadPriority", "ReadWhen", "Receipt", "Record", "Reply", "Result", "Reviewed", "Round", "Section",
    "SectionName", "Sentence", "Severity", "Share", "Snippet", "Source", "Span", "SpanKind", "Submitted",
    "ToolCall", "Trail", "Usage", "Value", "Verdict", "Vote", "summary_bounds",
]  # fmt: skip
