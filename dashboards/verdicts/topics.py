"""The topics that the sampler of texts told apart; their words are what users wrote, so not everybody sees them."""

from typing_extensions import TypedDict

from ..api.operation import Question

KIND = "topics"
"""Of the documents that the sampler keeps, one a service."""


class Topic(TypedDict):
    """`words` are its most typical ones, each of at least 20 calls; empty for who may not see content."""

    id: str
    words: list[str]


class OfService(TypedDict):
    service: str
    topics: list[Topic]


class Topics(TypedDict):
    services: list[OfService]


def topics(question: Question) -> Topics:
    shown = question.allowed("see_content")
    return {
        "services": [
            {
                "service": str(document.body.get("service", document.id)),
                "topics": [
                    {"id": str(topic["id"]), "words": list(topic["words"]) if shown else []}
                    for topic in document.body.get("topics", ())
                ],
            }
            for document in question.means.documents.all(KIND)
        ]
    }
