package main

import (
	"outlay"
	"outlay/auth"
	"outlay/control"
)

func setupRequest(code string, p control.AddUserRequest) auth.SetupRequest {
	return auth.SetupRequest{Code: code, Organization: demoOrganization, Name: p.Name, Email: p.Email, Password: outlay.NewSecret(demoPassword), Addr: "demo"}
}
