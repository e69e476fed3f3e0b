import { type Sampler, SamplingDecision } from "@opentelemetry/sdk-trace";

/**
 * A trace that is linked to another from its begin is kept when that one is: the training of a traced request would
 * otherwise be there as often as the ratio says, and the link of most would be dead. Others are decided by `root`.
 */
export function followLinks(root: Sampler): Sampler {
  return {
    shouldSample(context, traceId, name, kind, attributes, links) {
      if (links.length === 0) return root.shouldSample(context, traceId, name, kind, attributes, links);
      const isKept = links.some((link) => (link.context.traceFlags & 1) !== 0);
      return { decision: isKept ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD };
    },
    toString: () => `FollowLinks{${root.toString()}}`,
  };
}
