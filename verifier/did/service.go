package did

import "slices"

const (
	linkedDomains = "LinkedDomains" // DIF Well Known DID Configuration, Linked Domain Service Endpoint
	maxOrigins    = 16
)

// addService adds the origins of a LinkedDomains service. Other services, and endpoints of another shape, are ignored.
func (d *Document) addService(value any) {
	service, _ := value.(map[string]any)
	kinds, _ := service["type"].([]any)
	if service["type"] == linkedDomains || slices.Contains(kinds, any(linkedDomains)) {
		d.addOrigins(service["serviceEndpoint"])
	}
}

// addOrigins reads a service endpoint: an origin, an object with `origins` (DIF Well Known DID Configuration, Linked
// Domain Service Endpoint), or an array of these (DID Core §5.4).
func (d *Document) addOrigins(endpoint any) {
	switch endpoint := endpoint.(type) {
	case string:
		if len(d.origins) < maxOrigins {
			d.origins = append(d.origins, endpoint)
		}
	case []any:
		for _, element := range endpoint {
			d.addOrigins(element)
		}
	case map[string]any:
		d.addOrigins(endpoint["origins"])
	}
}
