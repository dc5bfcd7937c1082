#!/usr/bin/env python3
"""Metrics of made-up outputs by scikit-learn, the reference of crates/learning/src/metrics.rs.

Usage: metrics-vectors.py > crates/learning/tests/vectors/metrics.json (needs numpy and scikit-learn; written with 1.9.1)
"""

import json

import numpy as np
from sklearn import metrics


def softmax(logits):
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def area(labels, scores):
    """Binary: of the second class. Otherwise the mean over classes, each against the others."""
    classes = scores.shape[1]
    if len(set(labels)) < classes:
        return None
    if classes == 2:
        return metrics.roc_auc_score(labels, scores[:, 1])
    return metrics.roc_auc_score(labels, scores, multi_class="ovr", average="macro", labels=range(classes))


def of_classes(name, kind, outputs, labels, probabilities, ranking):
    classes, labels = outputs.shape[1], np.asarray(labels)
    taken = outputs.argmax(axis=1)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, taken, labels=range(classes), zero_division=0
    )
    return {
        "name": name,
        "kind": kind,
        "classes": classes,
        "outputs": outputs.flatten().tolist(),
        "labels": labels.tolist(),
        "loss": metrics.log_loss(labels, probabilities, labels=range(classes)),
        "accuracy": metrics.accuracy_score(labels, taken),
        "macro_f1": metrics.f1_score(labels, taken, average="macro", zero_division=0),
        "auc": area(labels, ranking),
        "confusion": metrics.confusion_matrix(labels, taken, labels=range(classes)).tolist(),
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "f1": f1.tolist(),
        "support": support.tolist(),
    }


def of_logits(name, logits, labels):
    logits = np.asarray(logits, dtype=np.float32).astype(float)
    probabilities = softmax(logits)
    return of_classes(name, "logits", logits, labels, probabilities, probabilities)


def of_shares(name, votes, labels):
    """What forests say: multiples of 1/16, so many rows tie; none is 0, where scikit-learn and a forest charge differently."""
    shares = np.asarray(votes, dtype=float) / 16
    assert (shares.sum(axis=1) == 1).all() and (shares > 0).all()
    return of_classes(name, "shares", shares, labels, shares, shares)


def of_numbers(name, outputs, labels, mean, deviation):
    outputs = np.asarray(outputs, dtype=np.float32).astype(float)
    labels = np.asarray(labels, dtype=np.float32).astype(float)
    said = outputs * deviation + mean
    error = metrics.mean_squared_error(labels, said)
    return {
        "name": name,
        "mean": mean,
        "deviation": deviation,
        "outputs": outputs.tolist(),
        "labels": labels.tolist(),
        "loss": error / deviation**2,
        "r2": metrics.r2_score(labels, said),
        "mae": metrics.mean_absolute_error(labels, said),
        "rmse": metrics.root_mean_squared_error(labels, said),
    }


def main():
    random = np.random.default_rng(7)
    labels = random.integers(0, 2, 60)
    binary = random.normal(size=(60, 2)) + np.eye(2)[labels]
    many = random.integers(0, 5, 80)
    five = 2 * random.normal(size=(80, 5)) + 3 * np.eye(5)[many]
    three = random.integers(0, 3, 70)
    votes = random.multinomial(13, [1 / 3] * 3, size=70) + 1
    pair = random.integers(0, 2, 50)
    first = random.integers(1, 16, 50)
    numbers = random.normal(40, 9, size=30)
    classes = [
        of_logits("two classes", binary, labels),
        of_logits("two classes, coarse scores that tie", np.round(binary), labels),
        of_logits("five classes", five, many),
        of_logits("five classes, one without rows, one never predicted", five - 9 * np.eye(5)[4], many % 4),
        of_logits("one row", [[0.5, 1.5, -0.25]], [1]),
        of_shares("a forest of two classes", np.stack([first, 16 - first], axis=1), pair),
        of_shares("a forest of three classes", votes, three),
    ]
    regressions = [
        of_numbers("near", (numbers - 40) / 9 + random.normal(0, 0.2, 30), numbers, 40.0, 9.0),
        of_numbers("worse than the mean", random.normal(size=30), numbers, 37.5, 8.25),
    ]
    lines = lambda cases: ",\n".join(json.dumps(case) for case in cases)
    print('{"classes": [\n%s\n],\n"regressions": [\n%s\n]}' % (lines(classes), lines(regressions)))


if __name__ == "__main__":
    main()
