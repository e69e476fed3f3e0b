import { expect, test } from "vitest";
import { predictionsCsv } from "../../../src/console/words/predictions-csv.ts";

test("answers as a CSV: chances of all classes, quotes where they are needed, and what was never seen where there is some", () => {
  const rows = [
    { prediction: 'say "no", or', probabilities: { 'say "no", or': 0.75, b: 0.25 } },
    { prediction: "b", probabilities: { 'say "no", or': 0.1, b: 0.9 }, unknown: ["colour", "size"] },
  ];
  expect(predictionsCsv(rows)).toBe(
    'row,prediction,"chance of say ""no"", or",chance of b,unknown\n1,"say ""no"", or",0.75,0.25,\n2,b,0.1,0.9,colour; size\n',
  );
  expect(predictionsCsv([{ prediction: -1.5 }, { prediction: 1e21 }])).toBe("row,prediction\n1,-1.5\n2,1e+21\n");
});
