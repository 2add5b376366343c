"""A recognised schedule as the lines that reproduce it in Caffe, Keras and PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from logdoctor.run import Axis
from logdoctor.schedule_levels import Shape

Parameters = Mapping[str, Any]


def config_lines(shape: Shape, axis: Axis) -> dict[str, str]:
    """Configuration by framework (`caffe`, `keras`, `pytorch`); a framework that cannot express the kind is missing.

    PyTorch and Keras lines count in the axis' unit (epochs, or updates where epochs are unknown); Caffe counts
    updates, so its lines need the length of an epoch.
    """
    parameters = shape.parameters
    lines: dict[str, str] = {}
    steps = axis.steps_per_epoch if axis.unit == "epoch" and shape.kind != "constant" else 1.0
    if shape.kind in _CAFFE and steps and not shape.warm_up and "rates" not in parameters:
        lines["caffe"] = _CAFFE[shape.kind](parameters, steps)
    if shape.kind in _KERAS and not shape.warm_up:
        lines["keras"] = _KERAS[shape.kind](parameters)
    if shape.kind in _PYTORCH:
        line = _PYTORCH[shape.kind](parameters)
        lines["pytorch"] = _warmed_up(line, shape.warm_up) if shape.warm_up else line
    return lines


def _warmed_up(line: str, warm_up: float) -> str:
    first = f"LinearLR(optimizer, start_factor=0.01, total_iters={warm_up:g})"
    return first if not line.endswith(")") else f"SequentialLR(optimizer, [{first}, {line}], milestones=[{warm_up:g}])"


def _listed(numbers: list[float]) -> str:
    return "[" + ", ".join(f"{number:g}" for number in numbers) + "]"


def _updates(x: float, steps: float) -> str:
    return f"{round(x * steps)}"


def _caffe_multistep(p: Parameters, steps: float) -> str:
    values = " ".join(f"stepvalue: {_updates(at, steps)}" for at in p["milestones"])
    return f'lr_policy: "multistep" base_lr: {p["base"]:g} gamma: {p["gamma"]:g} {values}'


def _caffe_poly(p: Parameters, steps: float) -> str:
    power = p.get("power", 1.0)
    return f'lr_policy: "poly" base_lr: {p["base"]:g} power: {power:g} max_iter: {_updates(p["total"], steps)}'


_CAFFE: Mapping[str, Callable[[Parameters, float], str]] = {
    "constant": lambda p, steps: f'lr_policy: "fixed" base_lr: {p["base"]:g}',
    "step": lambda p, steps: (
        f'lr_policy: "step" base_lr: {p["base"]:g} gamma: {p["gamma"]:g} stepsize: {_updates(p["length"], steps)}'
    ),
    "multistep": _caffe_multistep,
    "exponential": lambda p, steps: f'lr_policy: "exp" base_lr: {p["base"]:g} gamma: {p["gamma"] ** (1 / steps):.10g}',
    "inverse-time": lambda p, steps: (
        f'lr_policy: "inv" base_lr: {p["base"]:g} gamma: {p["decay"] / steps:.6g} power: {p["power"]:g}'
    ),
    "poly": _caffe_poly,
    "linear": _caffe_poly,
    "sigmoid": lambda p, steps: (
        f'lr_policy: "sigmoid" base_lr: {p["base"]:g} gamma: {p["gamma"] / steps:.6g} '
        f"stepsize: {_updates(p['centre'], steps)}"
    ),
}


def _keras_multistep(p: Parameters) -> str:
    passed = f"sum(epoch >= m for m in {_listed(p['milestones'])})"
    if "gamma" in p:
        return _keras(f"{p['base']:g} * {p['gamma']:g} ** {passed}")
    return _keras(f"{_listed(p['rates'])}[{passed}]")


def _keras(formula: str) -> str:
    return f"LearningRateScheduler(lambda epoch: {formula})"


_KERAS: Mapping[str, Callable[[Parameters], str]] = {
    "constant": lambda p: f"SGD(learning_rate={p['base']:g})",
    "step": lambda p: _keras(f"{p['base']:g} * {p['gamma']:g} ** (epoch // {p['length']:g})"),
    "multistep": _keras_multistep,
    "exponential": lambda p: _keras(f"{p['base']:g} * {p['gamma']:g} ** epoch"),
    "inverse-time": lambda p: _keras(f"{p['base']:g} / (1 + {p['decay']:g} * epoch) ** {p['power']:g}"),
    "poly": lambda p: (
        f"PolynomialDecay({p['base']:g}, decay_steps={p['total']:g}, "
        f"end_learning_rate={p.get('floor', 0.0):g}, power={p['power']:g})"
    ),
    "linear": lambda p: f"PolynomialDecay({p['base']:g}, decay_steps={p['total']:g}, end_learning_rate=0, power=1)",
    "cosine": lambda p: f"CosineDecay({p['base']:g}, decay_steps={p['total']:g}, alpha={p['floor'] / p['base']:.3g})",
    "cosine-restarts": lambda p: (
        f"CosineDecayRestarts({p['base']:g}, first_decay_steps={p['first_cycle']:g}, "
        f"t_mul={p.get('multiplier', 1.0):g})"
    ),
    "plateau-driven": lambda p: f"ReduceLROnPlateau(factor={p['gamma']:g})" if "gamma" in p else "ReduceLROnPlateau()",
}


def _pytorch_multistep(p: Parameters) -> str:
    if "gamma" in p:
        return f"MultiStepLR(optimizer, milestones={_listed(p['milestones'])}, gamma={p['gamma']:g})"
    factors = _listed([rate / p["rates"][0] for rate in p["rates"]])
    return f"LambdaLR(optimizer, lambda epoch: {factors}[sum(epoch >= m for m in {_listed(p['milestones'])})])"


def _pytorch_sigmoid(p: Parameters) -> str:
    exponent = f"-{p['gamma']:g} * (epoch - {p['centre']:g})"
    return f"LambdaLR(optimizer, lambda epoch: 1 / (1 + math.exp({exponent})))"


def _pytorch_cyclic(p: Parameters) -> str:
    fall = f", step_size_down={p['fall']:g}" if "fall" in p else ""
    return f"CyclicLR(optimizer, base_lr={p['low']:g}, max_lr={p['high']:g}, step_size_up={p['rise']:g}{fall})"


_PYTORCH: Mapping[str, Callable[[Parameters], str]] = {
    "constant": lambda p: f"SGD(model.parameters(), lr={p['base']:g})",
    "step": lambda p: f"StepLR(optimizer, step_size={p['length']:g}, gamma={p['gamma']:g})",
    "multistep": _pytorch_multistep,
    "exponential": lambda p: f"ExponentialLR(optimizer, gamma={p['gamma']:g})",
    "inverse-time": lambda p: f"LambdaLR(optimizer, lambda epoch: (1 + {p['decay']:g} * epoch) ** -{p['power']:g})",
    "poly": lambda p: f"PolynomialLR(optimizer, total_iters={p['total']:g}, power={p['power']:g})",
    "linear": lambda p: f"PolynomialLR(optimizer, total_iters={p['total']:g}, power=1)",
    "sigmoid": _pytorch_sigmoid,
    "cosine": lambda p: f"CosineAnnealingLR(optimizer, T_max={p['total']:g}, eta_min={p['floor']:g})",
    "cosine-restarts": lambda p: (
        f"CosineAnnealingWarmRestarts(optimizer, T_0={p['first_cycle']:g}, "
        f"T_mult={p.get('multiplier', 1.0):g}, eta_min={p['floor']:g})"
    ),
    "one-cycle": lambda p: (
        f"OneCycleLR(optimizer, max_lr={p['peak']:g}, total_steps={p['total']:g}, pct_start={p['peak_share']:g})"
    ),
    "cyclic": _pytorch_cyclic,
    "plateau-driven": lambda p: "ReduceLROnPlateau(optimizer" + (f", factor={p['gamma']:g})" if "gamma" in p else ")"),
}
