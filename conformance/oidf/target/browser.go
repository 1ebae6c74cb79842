package target

// What the suite's browser does on our pages, in the suite's own notation: tasks for URLs, each a list of commands. The
// ids are those of the pages.

type (
	task  = map[string]any
	tasks = []task
	visit = map[string]any
)

// browse adds to values how the suite's browser behaves.
func (c *configuration) browse(regain, wallet string) {
	authorize, pages := regain+"/authorize*", regain+"/recover/*"
	step := func(name, url string, optional bool, do ...[]any) task {
		return task{"task": name, "match": url, "optional": optional, "commands": do}
	}
	click := func(id string) []any { return []any{"click", "id", id} }
	shot := func(id string) []any { return []any{"wait", "id", id, 10, ".*", "update-image-placeholder"} }
	visiting := func(url string, limit int, do ...task) visit {
		v := visit{"match": url, "tasks": do}
		if limit > 0 {
			v["match-limit"] = limit
		}
		return v
	}
	journey := func(before ...task) tasks {
		return append(before,
			step("name the account", authorize, true, []any{"text", "id", "account-name", Account}, click("name-account")),
			step("read the information", pages, true, click("have-verified-id")),
			step("open the wallet", pages, true, click("open-wallet")),
			step("present", wallet+"/authorize*", true, click("present")),
			step("go back", pages, true, click("finish")),
			step("arrive", "*/test/*/callback*", false, []any{"wait", "id", "submission_complete", 10}),
		)
	}
	decline := tasks{
		step("name the account", authorize, true, []any{"text", "id", "account-name", Account}, click("name-account")),
		step("read the information", pages, false, click("have-verified-id")),
		step("open the wallet", pages, false, click("open-wallet")),
		step("decline", wallet+"/authorize*", false, click("cancel")),
		step("give up", pages, false, click("cancel"), click("finish")),
		step("arrive", "*/test/*/callback*", false, []any{"wait", "id", "submission_complete", 10}),
	}
	pictured := step("picture", regain+"/*", true, []any{"wait", "xpath", "//h1", 10, ".*", "update-image-placeholder-optional"})
	errorPage := step("error page", authorize, false, shot("problem"))
	logout := func(do ...task) []visit {
		return []visit{visiting(authorize, 0, journey()...), visiting(regain+"/logout*", 0, do...)}
	}
	c.values["journey"] = []visit{visiting(authorize, 0, journey()...)}
	c.values["journey_pictured"] = []visit{visiting(authorize, 0, journey(pictured)...)}
	c.values["decline"] = []visit{visiting(authorize, 0, decline...)}
	c.values["error_page"] = []visit{visiting(authorize, 0, errorPage)}
	c.values["journey_then_error_page"] = []visit{visiting(authorize, 1, journey()...), visiting(authorize, 0, errorPage)}
	for name, element := range map[string]string{"picture_heading": "main", "picture_policy": "privacy-policy", "picture_terms": "terms"} {
		c.values[name] = []visit{visiting(authorize, 0, step("picture", regain+"/*", false, shot(element)))}
	}
	c.values["look_then_journey"] = []visit{
		visiting(authorize, 1, step("look", authorize, false, []any{"wait", "id", "account-name", 10})), visiting(authorize, 0, journey()...),
	}
	c.values["logout"] = logout(step("signed out", "*/test/*/post_logout_redirect*", true, []any{"wait", "xpath", "//*", 5}))
	c.values["logout_refused"] = logout(step("error page", regain+"/logout*", false, shot("problem")))
	c.values["logout_asked"] = logout(step("agree", regain+"/logout*", false, click("sign-out"), shot("signed-out")))
	c.values["logout_shown"] = logout(step("signed out", regain+"/logout*", false, shot("signed-out")))
}
