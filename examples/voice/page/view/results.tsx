import { summary } from 'virtual:assets';
import type { JSX } from 'preact';

/** How close the student is to its teacher, and to the truth. */
export function Results(): JSX.Element {
  const { seeds, hours, rows, truth } = summary;
  return (
    <section class="card results" aria-labelledby="results">
      <h2 id="results">How close is the copy?</h2>
      <p>
        Measured on {hours} hours of scenes, in languages, voices and music that the student has
        never heard; a frame is 32 ms. Mean of {seeds} students, each from another start.
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">Scenes</th>
            <th scope="col">The teacher’s decisions</th>
            <th scope="col">
              <abbr title="area under the ROC curve">AUC</abbr>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ scenes, agreement, auc }) => (
            <tr key={scenes}>
              <th scope="row">{scenes}</th>
              <td>{agreement}</td>
              <td>{auc}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>
        Is the copy also right? The scenes are mixed, so that their truth is known. Against the
        truth, the AUC is {truth.teacher} for the teacher and {truth.student} for the student. The
        same student taught by the true labels reaches {truth.labelled}: where labels exist, use
        them. The copy is for models whose labels you do not have.
      </p>
    </section>
  );
}
