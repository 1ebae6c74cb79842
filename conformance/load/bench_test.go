package load

import "testing"

// BenchmarkHashes is what the hashes of a recovery cost in the floor.
func BenchmarkHashes(b *testing.B) {
	text := make([]byte, 1<<10)
	for _, kept := range stores() {
		b.Run(kept.name, func(b *testing.B) {
			h := newHasher(make([]byte, 32), hashesOfNode(), kept.hashes)
			for b.Loop() {
				h.make(text)
			}
		})
	}
}
