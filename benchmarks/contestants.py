"""What is timed: networks and layers of the same numbers, and one way to take a step with each."""

import math
import time

import keras
import numpy as np
import tensorflow as tf

from benchmarks.article import ArticleCapsule, PlainCapsule, TriedCapsule
from capslib import digits, models
from capslib.layers import Capsule, Length
from capslib.losses import margin_loss

# Every network has its own compiled functions; TensorFlow takes that for one function compiled in a loop.
tf.get_logger().setLevel("ERROR")

FORMS = ("article_einsum", "article_matmul")
TRIED = ("tried_einsum", "tried_gram", "tried_by_hand")
NETWORKS = (*FORMS, "ours", "convolutions")


def network(name, seed=0):
    """A network with the trunk of `article_capsnet`; the same first numbers for every name.

    Args:
        name: "ours", the course's own; "article_einsum" or "article_matmul", the article's layer in its place;
            "convolutions", in its place the mean of each of the 32 channels and one dense layer from these to 10.
        seed: of the first numbers.

    Returns:
        A Keras model, images (B, 28, 28, 1) → 10 scores in 0–1.
    """
    keras.utils.set_random_seed(seed)
    ours = models.article_capsnet()
    if name == "ours":
        return ours
    u = ours.get_layer("u").output
    if name == "convolutions":
        mean = keras.layers.GlobalAveragePooling1D()(u)
        return keras.Model(ours.input, keras.layers.Dense(10, activation="sigmoid")(mean))
    capsule = ours.get_layer("v")
    layer = ArticleCapsule(
        capsule.num_capsule, capsule.dim_capsule, routings=capsule.routings, form=name.removeprefix("article_")
    )
    model = keras.Model(ours.input, Length()(layer(u)))
    layer.copy_kernel(capsule)
    return model


def batch(size):
    """The first training digits of the bundled set and their one-hot labels, as tensors; the set again if need be."""
    data = digits.load()
    which = np.arange(size) % len(data.x_train)
    x, y = digits.as_images(data.x_train[which]), digits.one_hot(data.y_train[which])
    return tf.constant(x, tf.float32), tf.constant(y, tf.float32)


def training_step(model, jit=False):
    """A compiled training step: forward, margin loss, gradient, Adam.

    Args:
        model: a Keras model, images → 10 scores.
        jit: compiled by XLA too.

    Returns:
        A function of images (B, 28, 28, 1) and one-hot labels (B, 10), of any B, that returns the loss.
    """
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    kinds = [tf.TensorSpec((None, 28, 28, 1)), tf.TensorSpec((None, 10))]

    # XLA compiles for one size at a time, and TensorFlow would not tell it of another.
    @tf.function(input_signature=None if jit else kinds, jit_compile=jit)
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(margin_loss(y, model(x, training=True)))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    return lambda x, y: float(step(x, y))


def compile_routing(model):
    """Have XLA compile the capsule layer of a network "ours", and nothing else of it; returns the network."""
    capsule = model.get_layer("v")
    capsule.call = tf.function(capsule.call, jit_compile=True)
    return model


class StepTimer(keras.callbacks.Callback):
    """Times the steps of a `fit` of one epoch from the end of the first call of a step to the end of the last.

    What `fit` does before and after is left out: there it waits for threads that read data ahead, up to seconds.
    """

    def on_epoch_begin(self, epoch, logs=None):
        self.ends = []

    def on_train_batch_end(self, batch, logs=None):
        self.ends.append((batch, time.perf_counter()))

    @property
    def ms(self):
        """Milliseconds of a step."""
        (first, started), (last, ended) = self.ends[0], self.ends[-1]
        return 1e3 * (ended - started) / (last - first)


def inference(model):
    """A compiled forward pass: a function of images (B, 28, 28, 1) that returns scores (B, 10) as an array."""
    forward = tf.function(lambda x: model(x, training=False), input_signature=[tf.TensorSpec((None, 28, 28, 1))])
    return lambda x: forward(x).numpy()


def capsule_layers(I, D_in, J, D_out, routings, share_weights, names):
    """Layers of the same kernel: name → layer, for names among "ours", "plain" and those of FORMS and TRIED.

    For lower capsules drawn from a normal distribution, the votes' components have standard deviation ½. A fresh
    kernel's would be so small that all outputs were near 0, and a comparison of them worth nothing.
    """
    how = {"routings": routings, "share_weights": share_weights}
    ours = Capsule(J, D_out, **how)
    ours.build((None, I, D_in))
    ours.kernel.assign(np.random.default_rng(1).normal(scale=0.5 / math.sqrt(D_in), size=ours.kernel.shape))
    layers = {}
    for name in names:
        if name == "ours":
            layers[name] = ours
            continue
        kind, _, form = name.partition("_")
        kinds = {"article": ArticleCapsule, "plain": PlainCapsule, "tried": TriedCapsule}
        layers[name] = kinds[kind](J, D_out, **how, **({"form": form} if form else {}))
        layers[name].build((None, I, D_in))
        layers[name].copy_kernel(ours)
    return layers


def forward_and_backward(layer, shape):
    """A compiled pass through a layer and back, from normal lower capsules and a normal gradient of v.

    Args:
        layer: a built capsule layer.
        shape: (B, I, D_in) of its input.

    Returns:
        A function without arguments that returns v as an array; the gradients for u and W are computed as well.
    """
    rng = np.random.default_rng(0)
    u = tf.constant(rng.normal(size=shape), tf.float32)
    dv = tf.constant(rng.normal(size=(shape[0], layer.num_capsule, layer.dim_capsule)), tf.float32)

    @tf.function
    def there_and_back(u, dv):
        with tf.GradientTape() as tape:
            tape.watch(u)
            v = layer(u)
        return v, tape.gradient(v, [u, layer.kernel.value], output_gradients=dv)

    return lambda: there_and_back(u, dv)[0].numpy()
