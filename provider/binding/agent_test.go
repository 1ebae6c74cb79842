package binding

import (
	"strings"
	"testing"
)

func TestAgentName(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                           "Firefox on Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":              "Edge on Windows",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                                      "Chrome on Linux",
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                             "Chrome on ChromeOS",
		"Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36":           "Samsung Internet on Android",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15":                      "Safari on a Mac",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.0.0 Mobile/15E148 Safari/604.1": "Chrome on an iPhone",
		"Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/140.0 Mobile/15E148 Safari/605.1.15":           "Firefox on an iPad",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 OPR/124.0.0.0":              "Opera on Windows",
		"Firefox/1": "Firefox", "something on Android": "a browser on Android", "curl/8.5.0": "", "": "",
	} {
		if got := AgentName(agent); got != want {
			t.Errorf("%q is %q, want %q", agent, got, want)
		}
	}
}

// FuzzAgentName: whatever a browser says it is, the person at another device reads words of ours, and few of them.
func FuzzAgentName(f *testing.F) {
	f.Add("Mozilla/5.0 (Windows) Firefox/140.0")
	f.Add("your own bank on Android, honestly")
	f.Add("Chrome/ <script>alert(1)</script>")
	f.Fuzz(func(t *testing.T, agent string) {
		rest := AgentName(agent)
		for _, words := range [][]word{{{called: "a browser"}}, browsers(), systems()} {
			for _, w := range words {
				if rest == w.called {
					rest = ""
				}
				rest = strings.TrimPrefix(rest, w.called+" on ")
			}
		}
		if rest != "" {
			t.Fatalf("%q is called %q", agent, AgentName(agent))
		}
	})
}
