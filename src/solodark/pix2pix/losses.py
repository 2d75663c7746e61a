"""What training makes small: the published objective, and a robust distance in sigma."""

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["adversarial_loss", "discriminator_loss", "pixel_loss"]

_HUBER_SIGMA = 5.0  # beyond, a target is a telegraph hop or a cosmic ray and counts by its distance


def adversarial_loss(logits: Tensor, *, real: bool) -> Tensor:
    """Measure how far the discriminator's word is from one that all patches are real, or none is.

    Parameters
    ----------
    logits : Tensor, shape (n, 1, h, w)
        From `solodark.pix2pix.discriminator.PatchDiscriminator`.
    real : bool
        The word that is wanted.

    Returns
    -------
    Tensor, shape ()
        Mean binary cross-entropy.

    Examples
    --------
    >>> round(float(adversarial_loss(torch.zeros(1, 1, 2, 2), real=True)), 4)
    0.6931
    """
    wanted = torch.full_like(logits, float(real))
    return functional.binary_cross_entropy_with_logits(logits, wanted)


def discriminator_loss(logits: Tensor, *, real: bool) -> Tensor:
    """Give the discriminator's own objective on real or on generated masters.

    Parameters
    ----------
    logits : Tensor, shape (n, 1, h, w)
        Its word.
    real : bool
        Whether it was shown real masters.

    Returns
    -------
    Tensor, shape ()
        Half the cross-entropy, as published, to slow it down beside the generator.
    """
    return 0.5 * adversarial_loss(logits, real=real)


def pixel_loss(kind: str, made: Tensor, wanted: Tensor) -> Tensor:
    """Measure the distance between what was made and what was wanted.

    A U-Net gets the published L1, whose minimum is the median. A corrector's target is noisy and
    its mean is wanted, so it gets Huber's: squares up to 5 sigma of one sub [Huber 1964].

    Parameters
    ----------
    kind : {"unet", "corrector"}
        As in `solodark.pix2pix.NetworkSettings`.
    made, wanted : Tensor, shape (n, channels, h, w)
        In the network's numbers.

    Returns
    -------
    Tensor, shape ()
        Mean over all pixels.

    Examples
    --------
    >>> float(pixel_loss("unet", torch.zeros(1, 1, 1, 2), torch.tensor([[[[1.0, -3.0]]]])))
    2.0
    """
    if kind == "unet":
        return functional.l1_loss(made, wanted)
    return functional.huber_loss(made, wanted, delta=_HUBER_SIGMA)
