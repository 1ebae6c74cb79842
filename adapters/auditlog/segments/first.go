package segments

import "regain/recovery/chain"

// PruneEnding is that of a file beside a log by which somebody asks the node to prune.
const PruneEnding = ".prune"

// First reads the first line of a segment: its number, and when it was begun.
func First(path string, key chain.Key) (chain.Segment, error) { return firstLine(path, key) }
