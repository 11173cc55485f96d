// Models only: outlaytest.AWSJudge reads models/apis of this module (AWS's own API descriptions, frozen, Apache-2.0).
// No code of it is built.
module outlay/tools/judges

go 1.26.0

require github.com/aws/aws-sdk-go v1.55.8
