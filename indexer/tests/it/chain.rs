//! A chain with life on it: accounts that stake, register, run sessions, are paid and go away again.

use std::time::Duration;

use alloy::{
    contract::{CallBuilder, CallDecoder},
    network::EthereumWallet,
    primitives::{Address, B256, U256, aliases::U40},
    providers::{DynProvider, Provider, ProviderBuilder},
};
use parity_abi::{Deployments, IEscrow, ISessions, MockUsdfc, Operators, Sessions, Stakes};
use parity_protocol::{TokenAmount, manifest::PayoutLeaf, merkle::SumTree};
use parity_testkit::{Network, anvil};

/// Accounts that act.
pub(crate) const ACTORS: usize = 4;

/// A network whose accounts act at random, always the same way for the same seed.
pub(crate) struct Chain {
    pub(crate) network: Network,
    providers: Vec<DynProvider>,
    random: u64,
}

impl Chain {
    /// A network on which every account has money and has allowed the contracts to take it.
    pub(crate) async fn start(seed: u64) -> Self {
        let network = Network::start().await.unwrap();
        let mut providers = Vec::new();
        for index in 1..=ACTORS {
            let wallet = EthereumWallet::from(anvil::account(u32::try_from(index).unwrap()).unwrap());
            let url = network.rpc().parse().unwrap();
            // Asks for the nonce each time: a reorganisation takes it back.
            let builder = ProviderBuilder::new().disable_recommended_fillers().with_gas_estimation();
            let builder = builder.with_simple_nonce_management().fetch_chain_id();
            providers.push(builder.wallet(wallet).connect_http(url).erased());
        }
        let chain = Self { network, providers, random: seed };
        for actor in 0..ACTORS {
            let token = chain.token(actor);
            assert!(chain.send(token.mint(chain.address(actor), U256::from(10u128.pow(24)))).await);
            for spender in [chain.deployments().stakes, chain.deployments().escrow] {
                assert!(chain.send(token.approve(spender, U256::MAX)).await);
            }
        }
        chain
    }

    pub(crate) fn deployments(&self) -> &Deployments {
        self.network.deployments()
    }

    /// Address of an actor.
    pub(crate) fn address(&self, actor: usize) -> Address {
        anvil::address(u32::try_from(actor + 1).unwrap()).unwrap()
    }

    pub(crate) fn token(&self, actor: usize) -> MockUsdfc::MockUsdfcInstance<DynProvider> {
        MockUsdfc::new(self.deployments().usdfc, self.providers[actor].clone())
    }

    pub(crate) fn sessions(&self, actor: usize) -> Sessions::SessionsInstance<DynProvider> {
        Sessions::new(self.deployments().sessions, self.providers[actor].clone())
    }

    fn stakes(&self, actor: usize) -> Stakes::StakesInstance<DynProvider> {
        Stakes::new(self.deployments().stakes, self.providers[actor].clone())
    }

    fn escrow(&self, actor: usize) -> parity_abi::Escrow::EscrowInstance<DynProvider> {
        parity_abi::Escrow::new(self.deployments().escrow, self.providers[actor].clone())
    }

    fn operators(&self, actor: usize) -> Operators::OperatorsInstance<DynProvider> {
        Operators::new(self.deployments().operators, self.providers[actor].clone())
    }

    /// Sends a call and waits until it is in a block; says whether it succeeded.
    pub(crate) async fn send<D: CallDecoder>(&self, call: CallBuilder<&DynProvider, D>) -> bool {
        let Ok(sent) = call.gas(4_000_000).send().await else { return false };
        let hash = *sent.tx_hash();
        for _ in 0..2_000 {
            if let Some(receipt) = self.network.control().get_transaction_receipt(hash).await.unwrap() {
                return receipt.status();
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("{hash} is in no block");
    }

    /// A number below `bound`.
    pub(crate) fn draw(&mut self, bound: usize) -> usize {
        // splitmix64 (Steele, Lea, Flood 2014): any seed is good.
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(bound).unwrap()).unwrap()
    }

    /// Does `count` random things, one block each.
    pub(crate) async fn live(&mut self, count: usize) {
        for _ in 0..count {
            if self.draw(3) == 0 {
                self.trade().await
            } else {
                self.advance().await
            };
        }
    }

    /// Something that has nothing to do with sessions.
    async fn trade(&mut self) -> bool {
        let (actor, other) = (self.draw(ACTORS), self.draw(ACTORS));
        let amount = u128::try_from(self.draw(1_000) + 1).unwrap();
        let word = B256::repeat_byte(u8::try_from(self.draw(255) + 1).unwrap());
        match self.draw(10) {
            0 => self.send(self.stakes(actor).deposit(U256::from(amount))).await,
            1 => self.send(self.stakes(actor).requestUnbond(amount / 2)).await,
            2 => self.send(self.stakes(actor).cancelUnbond()).await,
            3 => self.send(self.token(actor).transfer(self.address(other), U256::from(amount))).await,
            4 => self.send(self.token(actor).mint(self.address(other), U256::from(amount))).await,
            5 => self.send(self.escrow(actor).setPayee(self.address(other))).await,
            6 => self.send(self.operators(actor).register(word, word, 3)).await,
            7 => self.send(self.operators(actor).update(word, word, 7)).await,
            8 if self.draw(4) == 0 => self.send(self.operators(actor).retire()).await,
            _ => self.send(self.escrow(actor).withdraw(self.address(other))).await,
        }
    }

    /// The next thing of one of the youngest sessions, or a new session.
    pub(crate) async fn advance(&mut self) -> bool {
        let count = self.session_count().await;
        if count == 0 || self.draw(8) == 0 {
            let (actor, uploaded) = (self.draw(ACTORS), self.draw(2) == 0);
            return self.create(actor, uploaded).await;
        }
        let id = count - u64::try_from(self.draw(2)).unwrap().min(count - 1);
        let (actor, seat) = (self.draw(ACTORS), u16::try_from(self.draw(2)).unwrap());
        let digest = B256::repeat_byte(u8::try_from(self.draw(255) + 1).unwrap());
        let contract = self.sessions(actor);
        let session = self.session(id).await;
        let (id, round) = (U256::from(id), session.round);
        match (session.state, session.phase) {
            (1, _) => match self.draw(5) {
                0 => self.send(contract.start(id)).await,
                1 => self.seal(id).await,
                2 if self.draw(6) == 0 => self.end_open(id).await,
                _ => {
                    // Only registered operators may sit.
                    self.send(self.operators(actor).register(digest, digest, 3)).await;
                    self.send(contract.claimSeat(id, seat, digest)).await
                }
            },
            (2, 1) => match self.draw(8) {
                0 => self.send(contract.close(id, round)).await,
                1 => self.send(contract.rollOver(id, round)).await,
                2 => self.send(contract.forfeit(id, seat)).await,
                3 => self.seal(id).await || self.send(contract.claimSeat(id, seat, digest)).await,
                4 if self.draw(4) == 0 => {
                    let requester = self.actor(session.requester);
                    self.send(self.sessions(requester).cancel(id)).await
                }
                _ => self.submit(id, round, seat, digest).await,
            },
            (2, 2) => {
                let reached = self.draw(3) == 0 && contract.terms(id).call().await.unwrap().targeted;
                self.propose(actor, id, session.round, session.committed, reached).await
            }
            (2, 3) => match self.draw(2) {
                0 => self.share(id, round, seat, digest).await,
                _ => self.send(contract.closeUnmasking(id, round)).await,
            },
            (2, _) => self.send(contract.finalize(id, round)).await || self.send(contract.voidRound(id, round)).await,
            _ => match self.draw(3) {
                0 => self.send(contract.settleSeat(id, seat)).await,
                1 => self.claim(actor, id).await,
                _ => {
                    let uploaded = self.draw(2) == 0;
                    self.create(actor, uploaded).await
                }
            },
        }
    }

    /// How many sessions there are.
    pub(crate) async fn session_count(&self) -> u64 {
        self.sessions(0).sessionCount().call().await.unwrap().to()
    }

    /// A session as the contract shows it.
    pub(crate) async fn session(&self, id: u64) -> ISessions::Session {
        self.sessions(0).session(U256::from(id)).call().await.unwrap()
    }

    /// A session of two seats and two rounds.
    pub(crate) async fn create(&mut self, actor: usize, uploaded: bool) -> bool {
        let terms = ISessions::Terms {
            spec: B256::repeat_byte(u8::try_from(self.draw(255) + 1).unwrap()),
            seats: 2,
            quorum: 1,
            rounds: 2,
            attestations: 1,
            maxRollovers: 1,
            performanceBps: 2_000,
            dataMode: u8::from(uploaded),
            unmasking: self.draw(3) == 0,
            targeted: self.draw(2) == 0,
            cohort: u16::try_from(1 + self.draw(2)).unwrap(),
            drawSeed: 3,
            openPeriod: U40::from(40),
            roundPeriod: U40::from(8),
            unmaskPeriod: U40::from(8),
            proposePeriod: U40::from(20),
            challengeWindow: U40::from(1),
            roundReward: 1_000,
            keeperFee: 50,
            completionBonus: 300,
            ..Default::default()
        };
        self.send(self.sessions(actor).createSession(terms)).await
    }

    fn actor(&self, address: Address) -> usize {
        (0..ACTORS).find(|actor| self.address(*actor) == address).unwrap()
    }

    async fn holders(&self, id: U256) -> Vec<(u16, usize)> {
        let seats = self.sessions(0).seatsOf(id).call().await.unwrap();
        (0u16..)
            .zip(seats)
            .filter(|(_, seat)| seat.operator != Address::ZERO)
            .map(|(index, seat)| (index, self.actor(seat.operator)))
            .collect()
    }

    async fn submit(&mut self, id: U256, round: u16, seat: u16, digest: B256) -> bool {
        match self.holders(id).await.into_iter().find(|(index, _)| *index == seat) {
            Some((_, actor)) => self.send(self.sessions(actor).submitUpdate(id, round, seat, digest, 100)).await,
            None => false,
        }
    }

    async fn share(&mut self, id: U256, round: u16, seat: u16, digest: B256) -> bool {
        match self.holders(id).await.into_iter().find(|(index, _)| *index == seat) {
            Some((_, actor)) => self.send(self.sessions(actor).postShares(id, round, seat, digest)).await,
            None => false,
        }
    }

    async fn seal(&mut self, id: U256) -> bool {
        let session = self.sessions(0).session(id).call().await.unwrap();
        let holders = self.holders(id).await;
        let Some((seat, actor)) = holders.first().copied() else { return false };
        let (seat, holder) = match holders.get(1) {
            Some((other, second)) if self.draw(2) == 0 => (*other, *second),
            _ => (seat, actor),
        };
        let contract = self.sessions(self.actor(session.requester));
        let shard = B256::repeat_byte(9);
        self.send(contract.sealHoldout(id, vec![self.address(0)], vec![shard])).await;
        self.send(contract.sealShards(id, vec![seat], vec![self.address(holder)], vec![shard])).await
    }

    async fn end_open(&mut self, id: U256) -> bool {
        let session = self.sessions(0).session(id).call().await.unwrap();
        let requester = self.actor(session.requester);
        self.send(self.sessions(requester).expire(id)).await || self.send(self.sessions(requester).cancel(id)).await
    }

    /// Gives the round's reward to one operator, on top of what it was given before.
    async fn propose(&mut self, actor: usize, id: U256, round: u16, committed: u128, reached: bool) -> bool {
        let sum = committed + 700;
        let root = tree(self.address(0), sum).root();
        let digest = B256::repeat_byte(u8::try_from(self.draw(255) + 1).unwrap());
        self.send(self.sessions(actor).propose(id, round, digest, digest, root.hash, sum, reached, digest)).await
    }

    /// Claims what operator 0 was given, together with a claim that is skipped.
    pub(crate) async fn claim(&self, actor: usize, id: U256) -> bool {
        let controller = self.deployments().sessions;
        let budget = self.escrow(actor).budget(controller, id).call().await.unwrap();
        let operator = self.address(0);
        let claim = IEscrow::Claim { controller, id, operator, cumulative: budget.committed, proof: Vec::new() };
        let nonsense = IEscrow::Claim { id: U256::MAX, ..claim.clone() };
        self.send(self.escrow(actor).claimMany(vec![claim, nonsense])).await
    }
}

fn tree(operator: Address, sum: u128) -> SumTree {
    SumTree::new(&[PayoutLeaf { operator, cumulative: TokenAmount::from_base_units(sum) }]).unwrap()
}
