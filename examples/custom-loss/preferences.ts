import {
  type FloatArray,
  ResponseDistillationStrategyBase,
  type SoftLoss,
} from 'knowledge-distillation';

/**
 * Matches the student's preferences between classes to the teacher's: the mean over pairs of
 * classes of KL(P ‖ Q). P is the teacher's preference, class i over class j with probability σ(t_i
 * − t_j), and Q the student's, with σ(s_i − s_j), both of logits / T. This is the model of Bradley
 * & Terry (1952). In nats, ≥ 0, and 0 where the rows differ by a constant.
 */
export class PreferenceDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends ResponseDistillationStrategyBase<T> {
  override get name(): string {
    return 'PreferenceDistillationStrategy';
  }

  protected override softLoss(columns: number): SoftLoss {
    const pairs = (columns * (columns - 1)) / 2;
    return ({ student, teacher, derivative }) => {
      derivative.fill(0);
      let loss = 0;
      for (let i = 0; i < columns; i++) {
        for (let j = 0; j < i; j++) {
          // The teacher has no preference between two classes that it rules out.
          if (teacher[i] === -Infinity && teacher[j] === -Infinity) continue;
          const [first, second] = teacher[i]! >= teacher[j]! ? [i, j] : [j, i];
          const margin = teacher[first]! - teacher[second]!;
          const lead = student[first]! - student[second]!;
          const doubt = sigmoid(-margin); // the teacher's probability of the opposite order
          // Avoids 0 · ∞ where a class is ruled out.
          const disagreement = doubt === 0 ? 0 : doubt * (lead - margin);
          loss += (softplus(-lead) - softplus(-margin) + disagreement) / pairs;
          const slope = (doubt - sigmoid(-lead)) / pairs; // d loss / d lead
          derivative[first]! += slope;
          derivative[second]! -= slope;
        }
      }
      return loss;
    };
  }
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** log(1 + eˣ). */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
