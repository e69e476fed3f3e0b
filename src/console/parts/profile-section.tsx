import { Text, Title } from "@mantine/core";
import type { ColumnProfile, DescribedDataset } from "../api/answers.ts";
import { useSpeech } from "../texts/language.tsx";
import { binsOf, frequentBars } from "../words/profile.ts";
import { shownName } from "../words/shown-name.ts";
import { Loading } from "./asked.tsx";
import { Bars } from "./bars.tsx";
import { Facts } from "./facts.tsx";
import { FirstOf } from "./first-of.tsx";
import { Histogram } from "./histogram.tsx";
import { Section } from "./section.tsx";

const shownAtFirst = 12;
const shownValues = 5;

/** What is in each column: how its values are spread, or which are most frequent. */
export function ProfileSection({ dataset: { profile, profileFault } }: { dataset: DescribedDataset }) {
  const { dataset: words } = useSpeech().texts;
  return (
    <Section title={words.profile}>
      {profile !== null && (
        <FirstOf items={profile} atFirst={shownAtFirst} further={words.furtherColumns}>
          {(shown) => (
            <div className="profiles">
              {shown.map((column) => (
                <OneColumn key={column.name} column={column} />
              ))}
            </div>
          )}
        </FirstOf>
      )}
      {profileFault !== null && (
        <>
          <Text size="sm">{words.noProfile}</Text>
          <Text size="sm" lang="en" className="quiet">
            {profileFault.message}
          </Text>
        </>
      )}
      {profile === null && profileFault === null && <Loading />}
    </Section>
  );
}

function OneColumn({ column }: { column: ColumnProfile }) {
  const { texts, formats } = useSpeech();
  const { dataset: words } = texts;
  const { name, type, distinct, nullRatio, quantiles, mean, std, note } = column;
  const bins = binsOf(column);
  const bars = type === "number" || type === "date" || type === "time" ? [] : frequentBars(column, shownValues);
  const shown = (value: number | string | null | undefined): string | undefined => {
    if (value === null || value === undefined) return undefined;
    return typeof value === "number" ? formats.measured(value) : value;
  };
  const [low, median, high] = [quantiles?.p25, quantiles?.p50, quantiles?.p75].map(shown);
  const mostly = mean === null ? undefined : shown(mean);
  return (
    <div className="profile">
      <Title order={3} size="h5" className="profile-name">
        {shownName(name)}
      </Title>
      <Text size="sm" className="quiet">
        {words.types[type]}, {words.distinct(distinct, formats.count(distinct))}
        {nullRatio > 0 && `, ${words.shareMissing(formats.percent(nullRatio, 1))}`}
      </Text>
      {bins.length > 1 && <Histogram name={name} bins={bins} />}
      {bars.length > 0 && <Bars bars={bars} shown={formats.count} label={words.frequent(name)} />}
      <Facts
        facts={[
          mostly === undefined
            ? undefined
            : [words.mean, std == null ? mostly : `${mostly} ± ${formats.measured(std)}`],
          median === undefined ? undefined : [words.median, median],
          low === undefined || high === undefined ? undefined : [words.middleHalf, words.fromTo(low, high)],
        ]}
      />
      {note !== undefined && (
        <Text size="xs" lang="en" className="quiet">
          {note}
        </Text>
      )}
    </div>
  );
}
