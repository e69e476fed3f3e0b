/** What a snippet is of: a model of this service, and a row that it takes. */
export interface SnippetOf {
  /** Where the service is, with a slash at the end. */
  readonly root: string;
  readonly id: string;
  readonly row: Readonly<Record<string, number | string | boolean | null>>;
  /** Whether a key is asked for; it is read from `API_KEY`, since one that is pasted is kept in a shell's history. */
  readonly hasKey: boolean;
}

/** A text as one word of a shell. */
const shellWord = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** A call that asks the model for the row, to be pasted into a shell. */
export function curlSnippet({ root, id, row, hasKey }: SnippetOf): string {
  const parts = [
    `curl -sS ${shellWord(`${root}api/ml/v1/artifacts/${id}/predictions`)}`,
    ...(hasKey ? [`-H "Authorization: Bearer $API_KEY"`] : []),
    `-H 'Content-Type: application/json'`,
    `-d ${shellWord(JSON.stringify({ rows: [row] }))}`,
  ];
  return parts.join(" \\\n  ");
}

function pythonLiteral(value: number | string | boolean | null): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  // What JSON writes of texts and numbers is Python, too.
  return JSON.stringify(value);
}

/** Fetches the model as ONNX and asks it for the row, without the service; see «As ONNX» in docs/models.md. */
export function pythonSnippet({ root, id, row, hasKey }: SnippetOf): string {
  const cells = Object.entries(row).map(([name, value]) => `${JSON.stringify(name)}: ${pythonLiteral(value)}`);
  const headers = hasKey ? `{"Authorization": "Bearer " + os.environ["API_KEY"]}` : "{}";
  return `# pip install onnxruntime
import json, os, urllib.request
import numpy, onnxruntime

request = urllib.request.Request(
    ${JSON.stringify(`${root}api/ml/v1/artifacts/${id}/content?format=onnx`)},
    headers=${headers},
)
model = onnxruntime.InferenceSession(urllib.request.urlopen(request).read())
columns = json.loads(model.get_modelmeta().custom_metadata_map["columns"])

rows = [{${cells.join(", ")}}]

def cells(column, kind):
    values = [row[column] for row in rows]
    if kind == "text":
        return numpy.array(["" if value is None else value for value in values], dtype=object)
    if kind == "date":
        return (numpy.array(values, dtype="datetime64[ms]") - numpy.datetime64(0, "ms")) / numpy.timedelta64(1, "s")
    if kind == "time":
        parts = [[numpy.nan] if value is None else map(float, value.split(":")) for value in values]
        return numpy.array([sum(part * 60 ** (2 - place) for place, part in enumerate(each)) for each in parts])
    return numpy.array(values, dtype="float32")

inputs = {c["column"]: cells(c["column"], c["kind"]).reshape(-1, 1) for c in columns}
print(dict(zip([output.name for output in model.get_outputs()], model.run(None, inputs))))
`;
}
