import { DomainError } from "../errors.ts";

/**
 * What was found of an artifact.
 * @throws DomainError ARTIFACT_NOT_FOUND where nothing was
 */
export async function existingArtifact<Found>(finding: Promise<Found | undefined>): Promise<Found> {
  const artifact = await finding;
  if (artifact === undefined)
    throw new DomainError("ARTIFACT_NOT_FOUND", "There is no such artifact. GET /artifacts lists yours.");
  return artifact;
}
