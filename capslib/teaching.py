"""Teachers: trained networks whose answers a network learns beside the labels.      (Hinton, Vinyals and Dean 2015)"""

import hashlib
from dataclasses import dataclass

import numpy as np

from capslib.backend import keras
from capslib.checks import check_positive
from capslib.layers import Tensor
from capslib.losses import distillation_loss, margin_loss


@dataclass(frozen=True)
class Teacher:
    """What `training.train` needs to let trained networks teach a network whose outputs are lengths.

    Attributes:
        networks: Keras models, images (B, 28, 28, 1) → probabilities (B, 10). Without any, the labels stand in for
            what they say, so the loss is the same and nobody knows more.
        weight: λ, what the distillation loss is multiplied by beside the margin loss; positive.
        temperature: T of the distillation loss, positive.

    Raises:
        ValueError: naming the number that is out of range.
    """

    networks: tuple[keras.Model, ...]
    weight: float
    temperature: float = 1

    def __post_init__(self) -> None:
        check_positive("weight", self.weight)
        check_positive("temperature", self.temperature)

    @property
    def told(self) -> dict[str, float | str]:
        """What tells this teacher from another: weight, temperature, and a checksum of the networks' parameters."""
        sums = hashlib.sha256()
        for network in self.networks:
            for array in network.get_weights():
                sums.update(np.ascontiguousarray(array).data)
        return {"weight": self.weight, "temperature": self.temperature, "checksum": sums.hexdigest()[:12]}

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """The mean of the networks' probabilities: images (N, 28, 28, 1) → (N, 10)."""
        return np.mean([network.predict(images, batch_size=500, verbose=0) for network in self.networks], axis=0)

    def targets(self, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """What a network learns from images (N, 28, 28, 1): one-hot labels and the teachers' answers, (N, 2, 10)."""
        return np.stack([labels, self.probabilities(images) if self.networks else labels], axis=1)

    def loss(self, targets: Tensor, lengths: Tensor) -> Tensor:
        """Margin loss + λ · distillation loss of each example: targets (B, 2, 10), lengths (B, 10) → (B,)."""
        taught = distillation_loss(targets[:, 1], lengths, self.temperature)
        return margin_loss(targets[:, 0], lengths) + self.weight * taught

    @staticmethod
    def accuracy(targets: Tensor, lengths: Tensor) -> Tensor:
        """Whether the longest capsule is the label's, whatever the teachers say: 0 or 1, (B,)."""
        return keras.metrics.categorical_accuracy(targets[:, 0], lengths)
