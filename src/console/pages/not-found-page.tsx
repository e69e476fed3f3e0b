import { Anchor, Text } from "@mantine/core";
import { Link } from "react-router";
import { Page } from "../parts/page.tsx";
import { useSpeech } from "../texts/language.tsx";

/** An address that leads nowhere, or no longer. */
export function NotFoundPage() {
  const { texts } = useSpeech();
  return (
    <Page title={texts.notFound.title}>
      <Text>{texts.notFound.lead}</Text>
      <Anchor component={Link} to="/">
        {texts.lists.toStart}
      </Anchor>
    </Page>
  );
}
