import { Alert, Text } from "@mantine/core";
import { useNavigate, useParams } from "react-router";
import type { Model } from "../api/answers.ts";
import { useDeleteModel, useModel, usePrediction } from "../api/models.ts";
import { Asked } from "../parts/asked.tsx";
import { Confirmed } from "../parts/confirmed.tsx";
import { FaultAlert } from "../parts/fault-alert.tsx";
import { FilePrediction } from "../parts/file-prediction.tsx";
import { ModelFacts } from "../parts/model-facts.tsx";
import { Page } from "../parts/page.tsx";
import { PredictionAnswer } from "../parts/prediction-answer.tsx";
import { PredictionForm } from "../parts/prediction-form.tsx";
import { TakeAlong } from "../parts/take-along.tsx";
import { useSpeech } from "../texts/language.tsx";
import { shownName } from "../words/shown-name.ts";

/** A model: it is asked for a row, taken along, pinned or deleted. */
export function ModelPage() {
  const { id = "" } = useParams();
  return <Asked query={useModel(id)}>{(model) => <OneModel model={model} />}</Asked>;
}

function OneModel({ model }: { model: Model }) {
  const { dataset, predict: words, model: ofModel } = useSpeech().texts;
  const { id, target, input } = model;
  const navigate = useNavigate();
  const removal = useDeleteModel(id);
  return (
    <Page title={words.title(shownName(target))} lead={words.lead}>
      {input === null ? <Alert color="yellow">{words.notDescribed}</Alert> : <Questions model={{ ...model, input }} />}
      <FilePrediction id={id} />
      <ModelFacts model={model} />
      <TakeAlong model={model} />
      <Confirmed
        label={ofModel.remove}
        question={ofModel.removeSure}
        yes={dataset.removeYes}
        no={dataset.removeNo}
        call={{ ...removal, mutate: () => removal.mutate(undefined, { onSuccess: () => navigate("/models") }) }}
      />
    </Page>
  );
}

function Questions({ model: { id, task, input } }: { model: Model & { input: NonNullable<Model["input"]> } }) {
  const { predict: words } = useSpeech().texts;
  const { data, error, isPending, mutate, reset } = usePrediction(id);
  return (
    <div className="beside">
      <PredictionForm input={input} isAsking={isPending} onRow={mutate} onChange={reset} />
      <div aria-live="polite" className="answers">
        {error !== null && <FaultAlert thrown={error} />}
        {data !== undefined && <PredictionAnswer prediction={data} isNumber={task === "regression"} />}
        {data === undefined && error === null && <Text className="quiet">{words.notYet}</Text>}
      </div>
    </div>
  );
}
