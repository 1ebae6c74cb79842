package binding

import "strings"

// AgentName is what to call a browser to a person: "Firefox on Windows". It is made of words of ours, never of what the
// browser sent, which may be anything.
func AgentName(userAgent string) string {
	browser, system := firstIn(userAgent, browsers()), firstIn(userAgent, systems())
	switch {
	case browser == "" && system == "":
		return ""
	case system == "":
		return browser
	case browser == "":
		return "a browser on " + system
	}
	return browser + " on " + system
}

// word is a token of a User-Agent and what people call it. Many browsers claim to be several, so the order counts.
type word struct{ token, called string }

func browsers() []word {
	return []word{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"}, {"Chromium/", "Chromium"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	}
}

func systems() []word {
	return []word{
		{"Android", "Android"}, {"iPhone", "an iPhone"}, {"iPad", "an iPad"}, {"Windows", "Windows"}, {"CrOS", "ChromeOS"},
		{"Mac OS X", "a Mac"}, {"Linux", "Linux"},
	}
}

func firstIn(text string, words []word) string {
	for _, w := range words {
		if strings.Contains(text, w.token) {
			return w.called
		}
	}
	return ""
}
