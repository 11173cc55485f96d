package main

import (
	"fmt"
	"path/filepath"
	"time"

	"outlay"
	"outlay/azure"
	"outlay/control"
	"outlay/google"
	simaws "outlay/simcloud/aws"
	simazure "outlay/simcloud/azure"
	simgoogle "outlay/simcloud/google"
)

// What the simulated clouds hold: one organization with an AWS payer, an Enterprise Agreement enrolment with two
// subscriptions, and a Google billing account with two projects.
const (
	demoServer    = "100000000001" // the AWS account of the server's own identity
	demoPayer     = "482109375516"
	demoRole      = "outlay-provisioner"
	demoTenant    = "3f6a2c1e-8b7d-4e59-a1c4-5d2e9f70b816"
	demoEnrolment = "8611537"
	demoBilling   = "01A2B3-C4D5E6-F708A9"
	demoProject   = "tidewater-hpc"
)

// demoAccounts are the AWS accounts that the demo begins with.
func demoAccounts() []simaws.Member {
	return []simaws.Member{{ID: demoPayer, Name: "prod-hpc"}, {ID: "730335198841", Name: "research"}, {ID: "118520047723", Name: "sandbox"}}
}

// demoSubscriptions are the Azure subscriptions, by the name of their account here.
func demoSubscriptions() []simaws.Member {
	return []simaws.Member{{ID: "9ec51cfd-5ca7-4d76-8101-dd0a4abc5674", Name: "azure-hpc"}, {ID: "ed570627-0265-4620-bb42-bae06bcfa914", Name: "azure-teaching"}}
}

// demoProjects are the Google projects, by the name of their account here.
func demoProjects() []simaws.Member {
	return []simaws.Member{{ID: demoProject, Name: "google-hpc"}, {ID: "tidewater-lab", Name: "google-lab"}}
}

// simulated is the three clouds in small, running.
type simulated struct {
	aws    *simaws.Cloud
	config cloudConfig
	// others are the accounts of Azure and Google as a person would add them.
	others []control.AddAccountRequest
	where  []string // "AWS http://…"
	stops  []func()
}

func (s *simulated) stop() {
	for i := len(s.stops) - 1; i >= 0; i-- {
		s.stops[i]()
	}
}

// startClouds starts the three clouds over the folder data, delivering every so often.
func startClouds(data string, deliver time.Duration) (_ *simulated, err error) {
	s := &simulated{}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	for _, start := range []func(string, time.Duration) error{s.startAWS, s.startAzure, s.startGoogle} {
		if err = start(data, deliver); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *simulated) running(name, url string, stop func()) {
	s.where, s.stops = append(s.where, name+" "+url), append(s.stops, stop)
}

func (s *simulated) startAWS(data string, deliver time.Duration) error {
	sim, err := simaws.New(simaws.Options{
		Dir: filepath.Join(data, "simulated-aws"), DeliverEvery: deliver, HistoryMonths: 3, RowsPerMonth: 6000, RestateEvery: 5, DataLag: 6 * time.Hour, TagsReachBack: true,
		SeenAfter: deliver, ActivateAfter: deliver, BackfillTakes: deliver, Seed: 7,
	})
	if err != nil {
		return err
	}
	accounts := demoAccounts()
	sim.AddAccount(demoServer, "outlay-server")
	sim.AddOrganization(accounts[0], accounts[1:]...)
	keyID, keySecret := sim.AddUser(demoServer, "outlay", "sts:AssumeRole")
	url, stop, err := sim.Start("127.0.0.1:0")
	if err != nil {
		return err
	}
	s.running("AWS", url, stop)
	s.aws = sim
	s.config.aws = awsConfig{endpoint: url, identity: "keys", keyID: keyID, secret: keySecret, principal: sim.UserARN(demoServer, "outlay")}
	return nil
}

func (s *simulated) startAzure(data string, deliver time.Duration) error {
	dir := filepath.Join(data, "simulated-azure")
	sim, err := simazure.New(simazure.Options{
		Dir: dir, DeliverEvery: deliver, HistoryMonths: 3, RowsPerMonth: 2500, DataLag: 6 * time.Hour, Seed: 7,
	})
	if err != nil {
		return err
	}
	url, ca, stop, err := sim.Start(lastAddress(dir))
	if err != nil {
		return err
	}
	if err := keepAddress(dir, url); err != nil {
		stop()
		return err
	}
	s.running("Azure", url, stop)
	s.config.azure = azureConfig{endpoint: url, ca: ca}
	sim.AddTenant(demoTenant, demoOrganization)
	client, secret := sim.AddApp(demoTenant, "outlay")
	var ids []string
	for _, sub := range demoSubscriptions() {
		sim.AddSubscription(demoTenant, sub.ID, sub.Name, "EnterpriseAgreement_2014-09-01")
		sim.Grant(client, "/subscriptions/"+sub.ID, "*", "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read")
		ids = append(ids, sub.ID)
		s.others = append(s.others, control.AddAccountRequest{
			Name: sub.Name, Provider: azure.Name, Kind: "secret", Values: map[string]string{"tenant_id": demoTenant, "subscription_id": sub.ID, "client_id": client},
			Secrets: map[string]outlay.Secret{"client_secret": outlay.NewSecret(secret)},
		})
	}
	sim.Grant(client, sim.AddEnrolment(demoTenant, demoEnrolment, demoOrganization, ids...), "*")
	return nil
}

func (s *simulated) startGoogle(data string, deliver time.Duration) error {
	dir := filepath.Join(data, "simulated-google")
	sim, err := simgoogle.New(simgoogle.Options{
		Dir: dir, DeliverEvery: deliver, HistoryMonths: 3, RowsPerMonth: 2500, DataLag: 6 * time.Hour, FillTicks: 2, Seed: 7,
	})
	if err != nil {
		return err
	}
	url, stop, err := sim.Start(lastAddress(dir))
	if err != nil {
		return err
	}
	if err := keepAddress(dir, url); err != nil {
		stop()
		return err
	}
	s.running("Google Cloud", url, stop)
	s.config.google = googleConfig{endpoint: url}
	sim.AddBillingAccount(demoBilling, demoOrganization)
	for _, p := range demoProjects() {
		sim.AddProject(p.ID, p.Name, demoBilling)
		key := sim.AddServiceAccount(p.ID, "outlay", "*")
		s.others = append(s.others, control.AddAccountRequest{
			Name: p.Name, Provider: google.Name, Kind: "key", Values: map[string]string{"project_id": p.ID}, Secrets: map[string]outlay.Secret{"key_json": outlay.NewSecret(string(key))},
		})
	}
	return nil
}

// note says in which ways the demo is not like the clouds.
func (s *simulated) note(deliver, look time.Duration) string {
	return fmt.Sprintf("Demo: AWS, Azure and Google Cloud are simulated on this machine. They deliver every %s, not a few times a day; Outlay looks every %s, not every hour.", deliver, look)
}
