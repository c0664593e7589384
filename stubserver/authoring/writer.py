"""Writes in the language of a course: names, sentences, html."""

import random
from dataclasses import dataclass, field

from stubserver.authoring.draws import between
from stubserver.authoring.phrases import Language
from stubserver.authoring.shapes import Range


@dataclass
class Writer:
    """Writes for one course."""

    language: Language
    draws: random.Random
    decks: dict[str, list[str]] = field(default_factory=dict)
    """What has been shuffled and not been dealt yet."""

    def text(self, what: str, subject: str = "") -> str:
        """One of the texts of a kind."""
        return self._filled(self.draws.choice(self.language.words[what]), subject)

    def dealt(self, what: str) -> str:
        """One that the course does not have yet, unless it has them all."""
        deck = self.decks.get(what)
        if not deck:
            words = self.language.words[what]
            deck = self.decks[what] = self.draws.sample(words, len(words))
        return deck.pop()

    def _filled(self, template: str, subject: str = "") -> str:
        if "{" not in template:
            return template
        people, places = self.language.people, self.language.places
        return template.format(subject=subject, name=self.draws.choice(people), place=self.draws.choice(places))

    def html(self, sentences: Range) -> str:
        """The text of a lesson: paragraphs, perhaps with a heading, a quotation and a list."""
        words, draws = self.language.words, self.draws
        rest = [self.text("sentences") for _ in range(between(draws, sentences))]
        parts = []
        while rest:
            length = between(draws, (1, 4))
            paragraph, rest = rest[:length], rest[length:]
            if draws.random() < 0.3:
                paragraph[0] = f"<strong>{paragraph[0]}</strong>"
            tag = "blockquote" if draws.random() < 0.08 else "p"
            parts.append(f"<{tag}>{' '.join(paragraph)}</{tag}>")
        if draws.random() < 0.4:
            items = draws.sample(words["points"], between(draws, (2, len(words["points"]))))
            parts.insert(between(draws, (0, len(parts))), f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>")
        if len(parts) > 2:
            parts.insert(1, f"<h3>{self.text('lessons')}</h3>")
        return "".join(parts)
