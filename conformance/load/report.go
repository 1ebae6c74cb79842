package load

import (
	"slices"
	"time"
)

// Report is the line that Run prints for a configuration.
type Report struct {
	Recoveries int `json:"recoveries"`
	Setup
	RecoveriesPerCPUSecond float64 `json:"recoveries_per_cpu_second"`
	CPUMillis              float64 `json:"cpu_ms_per_recovery"`
	CryptoFloorMillis      float64 `json:"crypto_floor_ms"`
	HTTPFloorMillis        float64 `json:"http_floor_ms"` // as many requests, and nothing done with them
	Ratio                  float64 `json:"ratio"`         // of CPU time to the cryptography
	P50Millis              float64 `json:"p50_ms"`
	P99Millis              float64 `json:"p99_ms"`
	Allocs                 float64 `json:"allocs_per_recovery"`
	RSSMegabytes           float64 `json:"rss_mb"`
	StoreWrites            float64 `json:"store_writes_per_recovery"`
	Commits                float64 `json:"store_commits_per_recovery"` // durable, each of one or more writes
	Requests               float64 `json:"http_requests_per_recovery"`
	Handshakes             float64 `json:"tls_handshakes_per_recovery"`
	WaitingMicros          float64 `json:"waiting_us_per_page_second"` // CPU time of a live page while nothing happens
}

func (m *measured) report() Report {
	slices.Sort(m.times)
	n := float64(len(m.times))
	cpu := float64(m.used.CPU) / n
	floor := mean(m.crypto)
	const percent = 100
	return Report{
		Recoveries: len(m.times), Setup: m.setup,
		RecoveriesPerCPUSecond: round(float64(time.Second) / cpu), CPUMillis: millis(cpu), CryptoFloorMillis: millis(floor),
		HTTPFloorMillis: millis(mean(m.http)), Ratio: round(cpu / floor),
		P50Millis: millis(float64(m.times[len(m.times)/2])), P99Millis: millis(float64(m.times[len(m.times)*99/percent])),
		Allocs: round(float64(m.used.Mallocs) / n), RSSMegabytes: round(float64(m.used.RSS) / (1 << 20)),
		StoreWrites: round(float64(m.used.StoreWrites) / n), Commits: round(float64(m.used.Commits) / n),
		Requests: round(float64(m.used.Requests) / n), Handshakes: round(float64(m.used.Handshakes) / n),
		WaitingMicros: round(float64(m.waiting) / float64(time.Microsecond)),
	}
}

func mean(times []time.Duration) float64 {
	var sum time.Duration
	for _, t := range times {
		sum += t
	}
	return float64(sum) / float64(len(times))
}

func millis(nanoseconds float64) float64 { return round(nanoseconds / 1e6) }

func round(x float64) float64 {
	const thousandth = 1000
	return float64(int64(x*thousandth+0.5)) / thousandth
}
