"""Proposes a dataset manifest from files: what they are, and why."""

from engine.data.proposal._propose import DatasetProposal, ProposalOptions, propose_dataset

__all__ = ["DatasetProposal", "ProposalOptions", "propose_dataset"]
