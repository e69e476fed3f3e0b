import { Button, Group, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type DragEvent, useRef, useState } from "react";
import sampleAddress from "../../../tests/data/seattle-weather.csv?url";
import { useSpeech } from "../texts/language.tsx";
import { FaultAlert } from "./fault-alert.tsx";

const sampleName = "seattle-weather.csv";

async function fetchSample(): Promise<File> {
  const answer = await fetch(sampleAddress);
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return new File([await answer.blob()], sampleName);
}

/** Takes a file: dropped, chosen, or the sample that comes with the console. */
export function DropArea({ onFile }: { onFile: (file: File) => void }) {
  const { start } = useSpeech().texts;
  const [isOver, setIsOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const sample = useMutation({ mutationFn: fetchSample, onSuccess: onFile });
  const takeFirst = (files: FileList | null): void => {
    const [file] = files ?? [];
    if (file !== undefined) onFile(file);
  };
  const over = (event: DragEvent): void => {
    event.preventDefault();
    setIsOver(true);
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setIsOver(false);
    takeFirst(event.dataTransfer.files);
  };
  return (
    <Stack>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: for the pointer; the button in it is for the keyboard */}
      <div className="drop" data-over={isOver} onDragOver={over} onDragLeave={() => setIsOver(false)} onDrop={drop}>
        <Text size="xl" fw={600}>
          {start.drop}
        </Text>
        <Text className="quiet">{start.kinds}</Text>
        <Group justify="center" gap="sm">
          <Button onClick={() => input.current?.click()}>{start.choose}</Button>
          <Button variant="default" loading={sample.isPending} onClick={() => sample.mutate()}>
            {start.sample}
          </Button>
        </Group>
        <Text size="sm" className="quiet">
          {start.sampleAbout}
        </Text>
        <input
          ref={input}
          type="file"
          hidden
          aria-label={start.choose}
          onChange={({ currentTarget }) => takeFirst(currentTarget.files)}
        />
      </div>
      {sample.error !== null && <FaultAlert thrown={sample.error} />}
    </Stack>
  );
}
