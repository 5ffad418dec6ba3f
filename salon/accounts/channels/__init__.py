"""How a code reaches somebody: by e-mail or SMS in production, into the development mailbox otherwise.

A channel is anything with the one method of `Channel`. Salon ships e-mail (SMTP) and the development mailbox. An SMS provider is a
package of its own: it depends on Salon, implements `Channel`, and registers it as an entry point,

    [project.entry-points."salon.channels"]
    sms = "salon_sms_example:ExampleSms"

called without arguments once per process. Once it is installed, people can add a phone number and have their codes sent there.
"""
