"""The losses as users of PyTorch write them; strategies.ts names these functions.

Each takes the student, the teacher, the labels (class indices, or None) and the options of the strategy.
"""

import math
from functools import wraps

import torch
import torch.nn.functional as F


def with_labels(soft_loss):
    """alpha * CE + (1 - alpha) * T^2 * the soft loss of the softened logits."""

    @wraps(soft_loss)
    def loss(student, teacher, labels, options):
        temperature, alpha = options["temperature"], options["alpha"]
        sides = [student, teacher]
        if options.get("standardizeLogits"):
            sides = [(z - z.mean(1, keepdim=True)) / (z.std(1, keepdim=True) + 1e-7) for z in sides]
        soft = soft_loss(*[z / temperature for z in sides], labels, options) * temperature**2
        return soft if labels is None else alpha * F.cross_entropy(student, labels) + (1 - alpha) * soft

    return loss


def kl(log_p, log_q):
    """KL(p || q), mean over rows."""
    return F.kl_div(log_q, log_p, reduction="batchmean", log_target=True)


def log_softmaxes(student, teacher):
    """log q and log p."""
    return F.log_softmax(student, dim=1), F.log_softmax(teacher, dim=1)


def kl_of_logits(student, teacher):
    log_q, log_p = log_softmaxes(student, teacher)
    return kl(log_p, log_q)


@with_labels
def response(student, teacher, labels, options):
    return kl_of_logits(student, teacher)


@with_labels
def reverse_kl(student, teacher, labels, options):
    return kl_of_logits(teacher, student)


@with_labels
def jensen_shannon(student, teacher, labels, options):
    """As TRL's GKDTrainer."""
    beta = options["beta"]
    log_q, log_p = log_softmaxes(student, teacher)
    log_m = torch.logsumexp(torch.stack([log_q + math.log(1 - beta), log_p + math.log(beta)]), dim=0)
    return beta * kl(log_p, log_m) + (1 - beta) * kl(log_q, log_m)


def skew(log_a, log_b, share):
    """KL(a || share * a + (1 - share) * b), as DistiLLM: the mixture from probabilities."""
    a = log_a.exp()
    log_m = torch.log(share * a + (1 - share) * log_b.exp())
    return (a * (log_a - log_m)).sum(dim=1).mean()


@with_labels
def skew_kl(student, teacher, labels, options):
    log_q, log_p = log_softmaxes(student, teacher)
    return skew(log_p, log_q, options["lambda"])


@with_labels
def skew_reverse_kl(student, teacher, labels, options):
    log_q, log_p = log_softmaxes(student, teacher)
    return skew(log_q, log_p, options["lambda"])


@with_labels
def alpha_beta(student, teacher, labels, options):
    """As the authors' code."""
    a, b = options["teacherPower"], options["studentPower"]
    q, p = F.softmax(student, dim=1), F.softmax(teacher, dim=1)
    terms = p**a * q**b - a / (a + b) * p ** (a + b) - b / (a + b) * q ** (a + b)
    return -terms.sum(dim=1).mean() / (a * b)


@with_labels
def total_variation(student, teacher, labels, options):
    """As DistillKit."""
    return 0.5 * (F.softmax(teacher, dim=1) - F.softmax(student, dim=1)).abs().sum(dim=1).mean()


@with_labels
def logit_mse(student, teacher, labels, options):
    return F.mse_loss(student, teacher)


@with_labels
def decoupled(student, teacher, labels, options):
    """As mdistiller."""
    label = F.one_hot(labels, student.shape[1])
    pairs = []
    for z in (teacher, student):
        probability = F.softmax(z, dim=1)
        pairs.append(torch.stack([(probability * label).sum(1), (probability * (1 - label)).sum(1)], dim=1).log())
    return options["targetWeight"] * kl(*pairs) + options["nonTargetWeight"] * without_labels(student, teacher, label)


def without_labels(student, teacher, label):
    """KL of the distributions over the other classes, as mdistiller: the label's logit less 1000."""
    return kl_of_logits(student - 1000 * label, teacher - 1000 * label)


def normalized(student, teacher, labels, options):
    """As the authors' code, with KL in place of its cross-entropy."""
    temperature, alpha = options["temperature"], options["alpha"]
    hard = F.cross_entropy(student, labels, reduction="none")
    weight = F.softmax(teacher, dim=1).gather(1, labels[:, None]).squeeze(1)
    label = F.one_hot(labels, student.shape[1])
    others = without_labels(student / temperature, teacher / temperature, label) * temperature**2
    soft = options["targetWeight"] * (weight * hard).mean() + options["nonTargetWeight"] * others
    return alpha * hard.mean() + (1 - alpha) * soft


def weighted_soft_label(student, teacher, labels, options):
    """As the authors' code, with KL in place of its cross-entropy."""
    temperature, alpha = options["temperature"], options["alpha"]
    hard = F.cross_entropy(student, labels, reduction="none")
    of_teacher = F.cross_entropy(teacher, labels, reduction="none")
    weight = 1 - torch.exp(-hard.detach() / (of_teacher + 1e-7))
    log_q, log_p = log_softmaxes(student / temperature, teacher / temperature)
    soft = F.kl_div(log_q, log_p, reduction="none", log_target=True).sum(dim=1)
    return (alpha * hard + (1 - alpha) * temperature**2 * weight * soft).mean()


def labels_alone(student, teacher, labels, options):
    return F.cross_entropy(student, labels)


def binary(student, teacher, labels, options):
    """BCE of every class with the teacher's probability, less the teacher's entropy."""
    temperature, alpha = options["temperature"], options["alpha"]
    rows, columns = student.shape
    p = torch.sigmoid(teacher / temperature)
    entropy = F.binary_cross_entropy_with_logits(teacher / temperature, p, reduction="sum")
    soft = (F.binary_cross_entropy_with_logits(student / temperature, p, reduction="sum") - entropy) / rows
    targets = F.one_hot(labels, columns).to(student.dtype)
    hard = F.binary_cross_entropy_with_logits(student, targets, reduction="sum") / rows
    return alpha * hard + (1 - alpha) * temperature**2 * soft


@with_labels
def universal_logit(student, teacher, labels, options):
    """As TRL's GOLDTrainer."""
    q, p = (F.softmax(z, dim=1).sort(dim=1, descending=True).values for z in (student, teacher))
    return F.l1_loss(q, p, reduction="sum") / len(q)


def pearson(a, b):
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    return (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1) + 1e-8)


@with_labels
def correlation(student, teacher, labels, options):
    """As the authors' code of DIST."""
    q, p = F.softmax(student, dim=1), F.softmax(teacher, dim=1)
    inter, intra = 1 - pearson(q, p).mean(), 1 - pearson(q.T, p.T).mean()
    return options["interWeight"] * inter + options["intraWeight"] * intra


def attention_scores(student, teacher, labels, options):
    return kl_of_logits(student, teacher)


def attention_transfer(student, teacher, labels, options):
    """As RepDistiller and mdistiller."""

    def attention(rows):
        return F.normalize(maps(rows, options).pow(2).mean(1))

    return (attention(student) - attention(teacher)).pow(2).mean()


def maps(rows, options):
    return rows.view(len(rows), options["channels"], -1)


def neuron_selectivity(student, teacher, labels, options):
    """As RepDistiller and mdistiller."""

    def kernel(first, second):
        return (first.unsqueeze(1) * second.unsqueeze(2)).sum(-1).pow(2).mean()

    s, t = F.normalize(maps(student, options), dim=2), F.normalize(maps(teacher, options), dim=2)
    return kernel(t, t) + kernel(s, s) - 2 * kernel(s, t)


def feature_mse(student, teacher, labels, options):
    return F.mse_loss(student, teacher)


def feature_l2(student, teacher, labels, options):
    """As sentence-transformers."""
    return torch.norm(student - teacher, dim=-1).mean()


def feature_cosine(student, teacher, labels, options):
    """As DistilBERT."""
    return F.cosine_embedding_loss(student, teacher, torch.ones(len(student)))


def patient(student, teacher, labels, options):
    return (F.normalize(student) - F.normalize(teacher)).pow(2).sum(1).mean()


def margin_mse(student, teacher, labels, options):
    """As sentence-transformers, for many candidates."""
    return F.mse_loss(student[:, :1] - student[:, 1:], teacher[:, :1] - teacher[:, 1:])


def ranking(student, teacher, labels, options):
    """All pairs at once, with a mask for the pairs in the teacher's order."""
    in_order = teacher.unsqueeze(2) > teacher.unsqueeze(1)
    lead = student.unsqueeze(2) - student.unsqueeze(1)
    pairs = F.softplus(-lead) if options["pairLoss"] == "logistic" else F.relu(options["margin"] - lead)
    return ((pairs * in_order).sum((1, 2)) / in_order.sum((1, 2)).clamp(min=1)).mean()


def probabilistic_transfer(student, teacher, labels, options):
    """As RepDistiller and mdistiller."""

    def probabilities(rows):
        rows = rows / (rows.pow(2).sum(1, keepdim=True).sqrt() + 1e-7)
        similarity = (rows @ rows.T + 1) / 2
        return similarity / similarity.sum(1, keepdim=True)

    q, p = probabilities(student), probabilities(teacher)
    return (p * torch.log((p + 1e-7) / (q + 1e-7))).mean()


def similarity_distribution(student, teacher, labels, options):
    def scores(rows):
        units = F.normalize(rows)
        return (units @ units.T / options["similarityTemperature"]).fill_diagonal_(-1e9)

    return kl_of_logits(scores(student), scores(teacher))


def similarity_preserving(student, teacher, labels, options):
    """As RepDistiller and mdistiller."""
    return (F.normalize(teacher @ teacher.T) - F.normalize(student @ student.T)).pow(2).mean()


def relational_distances(student, teacher, labels, options):
    """As RepDistiller and mdistiller, with a mask where they index the diagonal."""

    def distances(rows):
        squares = rows.pow(2).sum(1)
        result = (squares[:, None] + squares - 2 * (rows @ rows.T)).clamp(min=1e-12).sqrt()
        result = result * (1 - torch.eye(len(rows)))
        return result * (len(rows) * (len(rows) - 1)) / result.sum()

    return F.smooth_l1_loss(distances(student), distances(teacher))


def correlation_congruence(student, teacher, labels, options):
    """The kernel of torchdistill, without its loop over rows."""
    gamma, order = options["gamma"], options["order"]

    def kernel(rows):
        products = 2 * gamma * (rows @ rows.T)
        return math.exp(-2 * gamma) * sum(products**p / math.factorial(p) for p in range(order + 1))

    return (kernel(student) - kernel(teacher)).pow(2).mean()


def contrastive(student, teacher, labels, options):
    """InfoNCE as in CLIP-KD."""
    similarity = F.normalize(student) @ F.normalize(teacher).T / options["contrastTemperature"]
    return F.cross_entropy(similarity, torch.arange(len(student)))


def centered_kernel_alignment(student, teacher, labels, options):
    def gram(rows):
        rows = rows - rows.mean(0)
        return rows @ rows.T

    first, second = gram(student), gram(teacher)
    return 1 - (first * second).sum() / (first.norm() * second.norm())
