import { NativeSelect, TextInput } from "@mantine/core";
import { memo, useId } from "react";
import type { InputFeature } from "../api/answers.ts";
import { useSpeech } from "../texts/language.tsx";
import { shownName } from "../words/shown-name.ts";

// A longer list is faster typed than scrolled.
const mostInList = 30;
// Nobody types a larger one by chance, and its zeros would fill the form.
const largestTold = 1e15;

/**
 * The field of one column, by its type; empty is a missing value. Kept as long as nothing of it changes: a form may have
 * hundreds of fields, and a letter that is typed is of one.
 */
export const FeatureField = memo(function FeatureField({
  feature,
  text,
  isFaulty,
  onText,
}: {
  feature: InputFeature;
  text: string;
  isFaulty: boolean;
  onText: (name: string, text: string) => void;
}) {
  const { texts, formats } = useSpeech();
  const { predict: words } = texts;
  const listId = useId();
  const shared = {
    label: shownName(feature.name),
    value: text,
    onChange: ({ currentTarget }: { currentTarget: { value: string } }) => onText(feature.name, currentTarget.value),
  };
  const missing = { value: "", label: words.missing };
  switch (feature.type) {
    case "number":
      return (
        <TextInput
          {...shared}
          inputMode="decimal"
          autoComplete="off"
          placeholder={words.missing}
          description={
            feature.numbersUpTo !== null && feature.numbersUpTo <= largestTold
              ? words.numbersUpTo(formats.value(feature.numbersUpTo))
              : undefined
          }
          error={isFaulty ? words.notANumber : undefined}
        />
      );
    case "boolean":
      return (
        <NativeSelect
          {...shared}
          data={[missing, { value: "true", label: texts.yes }, { value: "false", label: texts.no }]}
        />
      );
    case "date":
    case "time":
      return (
        <TextInput
          {...shared}
          autoComplete="off"
          placeholder={words.missing}
          description={words.dateRange(feature.from, feature.to)}
        />
      );
    case "category": {
      const { categories, more, others } = feature;
      const isWhole = more === 0 && others === undefined && categories.length <= mostInList;
      // A text that is one of the list, or the empty one: else a select would show another value than it has.
      if (isWhole && !categories.includes(""))
        return (
          <NativeSelect
            {...shared}
            data={[missing, ...categories.map((value) => ({ value, label: shownName(value) }))]}
          />
        );
      const further = more + (others ?? 0);
      return (
        <>
          <TextInput
            {...shared}
            list={listId}
            autoComplete="off"
            placeholder={words.missing}
            description={further === 0 ? undefined : words.moreCategories(formats.count(further))}
          />
          <datalist id={listId}>
            {categories.map((category) => (
              <option key={category} value={category} />
            ))}
          </datalist>
        </>
      );
    }
  }
});
