"""Where a long run stands: figures in a file, so that the same command goes on where it was stopped."""

import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class State:
    """`figures` add up over finished rounds; a round that is cut short leaves nothing and is done again."""

    file: Path | None
    seed: int
    rounds: int = 0
    figures: dict[str, int] = field(default_factory=dict)

    @classmethod
    def found(cls, file: Path | None, seed: int) -> "State":
        """As the file has it; a new one when there is none. Raises ValueError for the state of another seed."""
        if file is None or not file.exists():
            return cls(file, seed)
        kept = json.loads(file.read_text())
        if kept["seed"] != seed:
            raise ValueError(f"{file} belongs to seed {kept['seed']}: give that one, or another file.")
        return cls(file, seed, kept["rounds"], kept["figures"])

    def done(self, name: str) -> int:
        return self.figures.get(name, 0)

    def add(self, **figures: int) -> None:
        """A round has ended."""
        self.rounds += 1
        for name, more in figures.items():
            self.figures[name] = self.done(name) + more
        if self.file is not None:
            half = self.file.with_suffix(".new")
            half.write_text(json.dumps({"seed": self.seed, "rounds": self.rounds, "figures": self.figures}))
            half.replace(self.file)

    def __str__(self) -> str:
        return ", ".join([f"{name} {value:,}" for name, value in self.figures.items()] + [f"seed {self.seed}"])
