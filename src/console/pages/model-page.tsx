import { Alert, Anchor, Text } from "@mantine/core";
import { Link, useParams } from "react-router";
import { useModel, usePrediction } from "../api/models.ts";
import { Asked } from "../parts/asked.tsx";
import { FaultAlert } from "../parts/fault-alert.tsx";
import { Page } from "../parts/page.tsx";
import { PredictionAnswer } from "../parts/prediction-answer.tsx";
import { PredictionForm } from "../parts/prediction-form.tsx";
import { useSpeech } from "../texts/language.tsx";
import { shownName } from "../words/shown-name.ts";

/** A model that is asked for one row. */
export function ModelPage() {
  const { id = "" } = useParams();
  const { predict: words } = useSpeech().texts;
  const prediction = usePrediction(id);
  return (
    <Asked query={useModel(id)}>
      {({ target, runId, input }) => (
        <Page
          title={words.title(shownName(target))}
          lead={
            <>
              {words.lead}{" "}
              <Anchor component={Link} to={`/runs/${runId}`}>
                {words.itsRun}
              </Anchor>
            </>
          }
        >
          {input === null ? (
            <Alert color="yellow">{words.notDescribed}</Alert>
          ) : (
            <div className="beside">
              <PredictionForm
                input={input}
                isAsking={prediction.isPending}
                onRow={(row) => prediction.mutate(row)}
                onChange={prediction.reset}
              />
              <div aria-live="polite">
                {prediction.error !== null && <FaultAlert thrown={prediction.error} />}
                {prediction.data !== undefined && <PredictionAnswer {...prediction.data} />}
                {prediction.data === undefined && prediction.error === null && (
                  <Text className="quiet">{words.notYet}</Text>
                )}
              </div>
            </div>
          )}
        </Page>
      )}
    </Asked>
  );
}
