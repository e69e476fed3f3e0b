import { Anchor, Stack, Text } from "@mantine/core";
import { Link } from "react-router";

/** What stands in the place of a list that has nothing yet, and the way to what is done first. */
export function EmptyList({ title, lead, to, way }: { title: string; lead: string; to: string; way: string }) {
  return (
    <Stack gap="xs">
      <Text fw={600}>{title}</Text>
      <Text>{lead}</Text>
      <Anchor component={Link} to={to}>
        {way}
      </Anchor>
    </Stack>
  );
}
