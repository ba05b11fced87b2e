use super::*;
use crate::domain::advisory::approval::{Act, Approval, FRESH_FOR, Order, Refusal};

fn account(id: u64, kind: &str) -> Account {
    Account { id, login: format!("login{id}"), kind: kind.to_owned() }
}

fn allowing(needs_two: bool) -> Policy {
    Policy::load(&format!("publish: allowed\npublish_needs_two: {needs_two}")).unwrap()
}

const ACTS: [Act; 4] = [Act::Accept, Act::Reject, Act::RequestCve, Act::Publish];

#[test]
fn p11_only_a_fresh_unedited_command_by_an_allowed_person_is_approved() {
    let (now, id) = (at("2026-03-02T10:00:00Z"), ghsa());
    let (ada, bot) = (account(1, "User"), account(2, "Bot"));
    let good = Order { comment: 5, by: &ada, role: Role::Admin, unedited: true, said_at: now - FRESH_FOR, ghsa: &id };
    let elsewhere: Ghsa = "GHSA-2222-3333-4444".parse().unwrap();
    for act in ACTS {
        let check = |order: Order<'_>| Approval::check(act, &order, None, &id, &allowing(false), now);
        let approval = check(good).unwrap();
        assert_eq!((approval.act(), approval.ghsa(), approval.by()), (act, &id, &["login1".to_owned()][..]));
        assert_eq!(check(Order { unedited: false, ..good }), Err(Refusal::Edited));
        assert_eq!(check(Order { by: &bot, ..good }), Err(Refusal::Bot));
        for role in [Role::None, Role::Read, Role::Triage, Role::Write, Role::Maintain] {
            assert!(matches!(check(Order { role, ..good }), Err(Refusal::NotAllowed(_))), "{role:?}");
        }
        assert!(matches!(check(Order { ghsa: &elsewhere, ..good }), Err(Refusal::OtherAdvisory { .. })));
        let late = good.said_at - jiff::SignedDuration::from_secs(1);
        assert_eq!(check(Order { said_at: late, ..good }), Err(Refusal::TooOld(late)));
        let named = Policy {
            roles: Policy::load(&format!("roles: {{{}: [grace]}}", act.command())).unwrap().roles,
            ..allowing(false)
        };
        let refused = Approval::check(act, &good, None, &id, &named, now);
        assert!(matches!(refused, Err(Refusal::NotAllowed(_))), "the policy names others: {refused:?}");
    }
}

#[test]
fn p11_publishing_asks_for_two_people_unless_the_policy_says_otherwise() {
    let (now, id) = (at("2026-03-02T10:00:00Z"), ghsa());
    let (ada, grace, bot) = (account(1, "User"), account(3, "User"), account(2, "Bot"));
    let order = |by| Order { comment: 5, by, role: Role::Admin, unedited: true, said_at: now, ghsa: &id };
    let first = order(&ada);
    let check = |second: Option<&Order<'_>>| Approval::check(Act::Publish, &first, second, &id, &allowing(true), now);
    let both = check(Some(&Order { comment: 6, ..order(&grace) })).unwrap();
    assert_eq!((both.by().len(), both.comments()), (2, &[5, 6][..]));
    assert_eq!(check(None), Err(Refusal::NeedsSecond { ghsa: id.clone(), until: now + FRESH_FOR }));
    assert_eq!(check(Some(&first)), Err(Refusal::SamePerson));
    assert_eq!(check(Some(&order(&bot))), Err(Refusal::Second(Box::new(Refusal::Bot))));
    for second in [
        Order { role: Role::Maintain, ..order(&grace) },
        Order { unedited: false, ..order(&grace) },
        Order { said_at: at("2026-03-02T09:00:00Z"), ..order(&grace) },
    ] {
        assert!(matches!(check(Some(&second)), Err(Refusal::Second(_))), "{second:?}");
    }
    let handoff = Approval::check(Act::Publish, &first, Some(&order(&grace)), &id, &Policy::default(), now);
    assert_eq!(handoff, Err(Refusal::Handoff));
}
