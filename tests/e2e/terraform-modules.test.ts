import { execFile, execFileSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "./processes.ts";
import { type Manifest, ofKind, render } from "./rendered-chart.ts";

const execute = promisify(execFile);
const standIns = process.env.TERRAFORM_STAND_INS_BIN;
const mirrorOfAws = process.env.TERRAFORM_PROVIDER_MIRROR || undefined; // where .ci/run finds one
const hasTerraform = ((): boolean => {
  try {
    execFileSync("terraform", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false; // Then .ci/run says so.
  }
})();

/** A run of `terraform test -verbose`, with what it would have made. */
interface TestRun {
  readonly name: string;
  readonly resources: readonly Manifest[];
}

describe.runIf(hasTerraform && standIns !== undefined)("module kubernetes, with stand-ins for its providers", () => {
  const folder = mkdtempSync(join(tmpdir(), "mlops-backend-terraform-"));
  const modules = join(folder, "infra", "terraform");
  const configuration = join(folder, "terraform.rc");
  afterAll(() => rmSync(folder, { recursive: true }));

  const terraform = async (module: string, ...parameters: string[]): Promise<string> => {
    const { PATH, HOME } = process.env;
    const env = { PATH, HOME, TF_CLI_CONFIG_FILE: configuration, CHECKPOINT_DISABLE: "1" };
    const { stdout } = await execute("terraform", parameters, {
      cwd: join(modules, module),
      env,
      maxBuffer: 64 * 1024 * 1024,
    }).catch((error: { stdout?: string; stderr?: string }) => {
      throw new Error(`${error.stdout}${error.stderr}`);
    });
    return stdout;
  };

  /** As Terraform writes it in full; the modules leave out its default host, and it alone knows which that is. */
  const fullAddress = async (provider: string): Promise<string> => {
    const [, address] =
      new RegExp(`provider\\[(\\S+/${provider})\\]`).exec(await terraform("kubernetes", "providers")) ?? [];
    if (address === undefined) throw new Error(`the module needs no provider ${provider}`);
    return address;
  };

  beforeAll(async () => {
    // A copy: terraform writes into the folders that it works in. The module reads the chart beside it.
    for (const part of ["terraform", "helm/mlops-backend"])
      cpSync(join(root, "infra", part), join(folder, "infra", part), { recursive: true });
    const platform = `linux_${process.arch === "x64" ? "amd64" : process.arch}`;
    writeFileSync(configuration, "");
    for (const name of ["kubernetes", "helm"]) {
      const provider = join(folder, "mirror", await fullAddress(`hashicorp/${name}`), "3.0.0", platform);
      mkdirSync(provider, { recursive: true });
      copyFileSync(standIns ?? "", join(provider, `terraform-provider-${name}_v3.0.0`));
    }
    writeFileSync(
      configuration,
      `provider_installation {
        filesystem_mirror {
          path = "${join(folder, "mirror")}"
          include = ["hashicorp/kubernetes", "hashicorp/helm"]
        }
        ${mirrorOfAws === undefined ? "" : `filesystem_mirror {\n path = "${mirrorOfAws}"\n include = ["hashicorp/aws"]\n }`}
      }`,
    );
  });

  test.runIf(mirrorOfAws !== undefined)(
    "the complete example is valid, against the AWS provider's own schema",
    async () => {
      writeFileSync(join(modules, "examples/complete/rds-global-bundle.pem"), "");
      await terraform("examples/complete", "init", "-input=false");
      await terraform("examples/complete", "validate");
    },
  );

  test("the minimal example is valid", async () => {
    await terraform("examples/minimal", "init", "-input=false");
    await terraform("examples/minimal", "validate");
  });

  test("its own tests pass, and the chart takes what they hand to it", async () => {
    await terraform("kubernetes", "init", "-input=false");
    const lines = await terraform("kubernetes", "test", "-json", "-verbose");
    const runs = lines
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .filter(({ test_state }) => test_state?.root_module !== undefined)
      .map((line): TestRun => ({ name: line["@testrun"], resources: line.test_state.root_module.resources }));
    expect(runs.map(({ name }) => name)).toEqual(["minimal", "complete"]);
    for (const { name, resources } of runs) {
      const { values } = resources.find(({ type }) => type === "helm_release").values;
      const manifests = await render({ texts: values });
      const { volumes } = ofKind(manifests, "Deployment", "-worker").spec.template.spec;
      const secret = resources.find(({ type }) => type === "kubernetes_secret_v1").values.metadata[0].name;
      expect(volumes, name).toContainEqual(
        expect.objectContaining({ secret: expect.objectContaining({ secretName: secret }) }),
      );
      expect(manifests.filter(({ kind }) => kind === "Secret")).toEqual([]);
      expect(ofKind(manifests, "ServiceAccount").metadata.annotations).toEqual({
        "eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/mlops-files",
      });
      expect(
        manifests.filter(({ kind }) => kind === "ScaledObject"),
        name,
      ).toHaveLength(name === "complete" ? 1 : 0);
    }
  });
});
